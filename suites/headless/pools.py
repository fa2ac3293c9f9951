"""A headless Service of two ports before two StatefulSets, each of which has one of them: by the
ports' names, as pods of an older and a newer kind behind one Service do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from meshproof.kube.objects import Object, applied
from meshproof.mesh.routes import host_of
from meshproof.process import side_by_side
from meshproof.traffic.settle import arrive
from meshproof.workloads.dns_sleeps import DNS_SLEEP, dns_sleeps
from meshproof.workloads.sample import NAMESPACE, PORT, TCP_PORT, Sample
from meshproof.workloads.stateful import await_ready, headless, stateful_set
from suites.headless.sets import ask

POOLED = "pooled"
"""The Service, and the label of the pods."""
POOLS = {"first": PORT, "second": TCP_PORT}
"""The StatefulSets' pods, in the order of the Service's ports: which of these each has."""


def full_name(pool: str, cluster: str) -> str:
    """The name by which the one pod of a pool is found."""
    return f"{POOLED}-{pool}-{cluster}-0.{host_of(POOLED, NAMESPACE)}"


@contextmanager
def pooled_pods(sample: Sample) -> Iterator[None]:
    """Each cluster has the Service and a pod of each pool, and a sleep whose sidecar answers names
    and knows the first of each cluster on its network, or half a minute has passed, inside the
    block. Raises WaitFailedError, or WaitTimeoutError, when a pod does not come to run."""
    clusters = [sample.mesh.cluster(name) for name in sample.clusters]
    with ExitStack() as stack:
        for cluster in clusters:
            sets = [_pool(pool, cluster.name) for pool in POOLS]
            stack.enter_context(applied(cluster, [_service(), *sets]))
        stack.enter_context(dns_sleeps(sample))
        ready = partial(await_ready, app=POOLED, pods=len(POOLS))
        side_by_side(sample.mesh.shell, ready, clusters)
        for name in sample.clusters:
            first = partial(_first_is_known, sample, name)
            arrive(sample.mesh, first, what=f"the first pods' names in {name}")
        yield


def _first_is_known(sample: Sample, caller: str) -> bool:
    asking, near = sample.caller(caller, DNS_SLEEP), sample.topology.same_network
    there = [one for one in sample.clusters if near(one, caller)]
    return all(ask(sample, asking, full_name("first", one)).exists for one in there)


def _service() -> Object:
    made = headless()
    made["metadata"] = {"name": POOLED, "namespace": NAMESPACE}
    ports = [
        {"name": f"tcp-{pool}", "port": port, "targetPort": pool} for pool, port in POOLS.items()
    ]
    made["spec"] |= {"selector": {"app": POOLED}, "ports": ports}
    return made


def _pool(pool: str, cluster: str) -> Object:
    made = stateful_set(cluster)
    labels = {"app": POOLED, "pool": pool}
    made["metadata"]["name"] = f"{POOLED}-{pool}-{cluster}"
    made["spec"] |= {"serviceName": POOLED, "selector": {"matchLabels": labels}}
    template = made["spec"]["template"]
    template["metadata"]["labels"] = labels
    template["spec"]["containers"][0]["ports"] = [{"name": pool, "containerPort": POOLS[pool]}]
    return made
