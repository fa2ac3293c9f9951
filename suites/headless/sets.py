"""A StatefulSet in each cluster behind one headless Service, and what single pods are called.

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import permutations

from meshproof.artifacts.images import WORKLOAD
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.dns import dns_address
from meshproof.kube.names import NameAnswer, ask_name
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import hopeless
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import Workload, find_workload
from meshproof.mesh.routes import host_of
from meshproof.model import Pair
from meshproof.process import side_by_side
from meshproof.traffic.settle import arrive
from meshproof.wait import eventually
from meshproof.workloads.dns_sleeps import DNS_SLEEP, dns_sleeps
from meshproof.workloads.sample import (
    HELLOWORLD,
    NAMESPACE,
    PORT,
    Sample,
    helloworld_service,
)

SERVICE = "ordered"
"""The headless Service, and the label of its pods."""
_WITHIN = 120.0


def pod_name(cluster: str) -> str:
    """What the one pod of a cluster's StatefulSet is called: each cluster's otherwise."""
    return f"{SERVICE}-{cluster}-0"


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


def headless() -> Object:
    """A Service without an address of its own."""
    made = helloworld_service(name=SERVICE)
    http = [{"name": "http", "port": PORT, "targetPort": PORT}]
    made["spec"] |= {"clusterIP": "None", "selector": {"app": SERVICE}, "ports": http}
    return made


def stateful_set(cluster: str) -> Object:
    """A StatefulSet of one helloworld, which is none of the version's own."""
    labels = {"app": SERVICE}
    container: Object = {"name": SERVICE, "image": WORKLOAD, "imagePullPolicy": "IfNotPresent"}
    container |= {"command": [HELLOWORLD]}
    pod = {
        "serviceAccountName": HELLOWORLD,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": f"{SERVICE}-{cluster}", "namespace": NAMESPACE},
        "spec": {
            "serviceName": SERVICE,
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def await_ready(cluster: RunningCluster, app: str = SERVICE, pods: int = 1) -> None:
    """Wait until so many pods of an app run, their proxies as well. Raises WaitFailedError, or
    WaitTimeoutError."""

    def ready() -> int:
        with lab_errors(f"look at {app} in {cluster.name}"):
            found = cluster.core.list_namespaced_pod(NAMESPACE, label_selector=f"app={app}")
        states = [one for pod in found.items for one in pod.status.conditions or []]
        return sum(one.type == "Ready" and one.status == "True" for one in states)

    eventually(
        ready,
        until=lambda count: count == pods,
        fail_if=lambda _: hopeless(cluster, NAMESPACE),
        what=f"the pods of {app} in {cluster.name}",
        within=_WITHIN,
    )


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
