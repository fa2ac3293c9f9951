"""A StatefulSet in each cluster behind one headless Service, and what single pods are called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import permutations

from meshproof.kube.dns import dns_address
from meshproof.kube.names import NameAnswer, ask_name
from meshproof.kube.objects import applied
from meshproof.kube.workload import Workload, find_workload
from meshproof.mesh.routes import host_of
from meshproof.model import Pair
from meshproof.process import side_by_side
from meshproof.traffic.settle import arrive
from meshproof.workloads.dns_sleeps import DNS_SLEEP, dns_sleeps
from meshproof.workloads.sample import NAMESPACE, Sample
from meshproof.workloads.stateful import (
    SERVICE,
    await_ready,
    headless,
    pod_name,
    stateful_set,
)


def full_name(cluster: str) -> str:
    """The name by which that pod is found."""
    return f"{pod_name(cluster)}.{host_of(SERVICE, NAMESPACE)}"


def pod_of(sample: Sample, cluster: str) -> Workload:
    """The pod of a cluster's StatefulSet. Raises LabError when there is none."""
    return find_workload(sample.mesh.cluster(cluster), SERVICE, NAMESPACE)


def ask(sample: Sample, caller: Workload, name: str) -> NameAnswer:
    """What a pod is told when it asks for a name."""
    return ask_name(caller, name, dns_address(sample.mesh.cluster(caller.cluster)))


@contextmanager
def ordered_pods(sample: Sample) -> Iterator[None]:
    """Each cluster has the StatefulSet and the Service, and a sleep whose sidecar answers names and
    knows the pod of its own cluster, and those of other clusters on its network as far as it does
    within half a minute."""
    with ExitStack() as stack:
        for name in sample.clusters:
            objects = [headless(), stateful_set(name)]
            stack.enter_context(applied(sample.mesh.cluster(name), objects))
        stack.enter_context(dns_sleeps(sample))
        clusters = [sample.mesh.cluster(name) for name in sample.clusters]
        side_by_side(sample.mesh.shell, await_ready, clusters)
        side_by_side(sample.mesh.shell, partial(_await_names, sample), sample.clusters)
        yield


def _await_names(sample: Sample, caller: str) -> None:
    asking = sample.caller(caller, DNS_SLEEP)
    near = [one for one in sample.clusters if sample.topology.same_network(one, caller)]
    for name in near:
        answer = partial(ask, sample, asking, full_name(name))
        arrive(sample.mesh, answer, until=_exists, what=f"{full_name(name)} in {asking.name}")


def _exists(answer: NameAnswer) -> bool:
    return answer.exists


def pairs(sample: Sample) -> list[Pair]:
    """The ordered pairs of a caller's cluster and another of which its istiod knows."""
    return [
        (caller, there)
        for caller, there in permutations(sample.clusters, 2)
        if sample.topology.knows(caller, there)
    ]
