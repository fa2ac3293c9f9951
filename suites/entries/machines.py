"""A service of instances that WorkloadEntries announce, which say nothing of their network.

https://istio.io/latest/docs/reference/config/networking/workload-entry/
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from meshproof.kube.objects import Object
from meshproof.kube.workload import PodWorkload
from meshproof.mesh.configuration import configured
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.traffic.calls import HELLO, Plan
from meshproof.traffic.settle import arrive, await_healed
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT, Sample

MACHINE = "machines.entries.local"
"""The ServiceEntry's host: of the names that gateways let in, ``*.local``."""
BY_MACHINE = Plan(HELLO, headers={"host": MACHINE})
KNOWN_AS = outbound(MACHINE, PORT)
"""What a sidecar's configuration calls the service."""
_LABEL = "announced"
_NETWORKING = "networking.istio.io/v1"


def announced(sample: Sample) -> dict[str, PodWorkload]:
    """The pod that is announced in each cluster where configuration counts, by the cluster."""
    there = sample.topology.config_clusters
    homes = [name for name in there if sample.versions_in(name)]
    return {name: sample.server(sample.versions_in(name)[0]) for name in homes}


@contextmanager
def announcing(sample: Sample, pods: dict[str, PodWorkload]) -> Iterator[None]:
    """Each of these pods is announced by its address, and by nothing of its network, in its
    cluster inside the block, and proxies know the service, or half a minute has passed; afterwards
    they have forgotten it, or the mesh is marked dirty."""
    callers = [sample.caller(name) for name in sample.clusters]

    def knowing() -> int:
        return sum(bool(endpoints(one, KNOWN_AS)) for one in callers)

    try:
        with ExitStack() as stack:
            stack.enter_context(configured(sample.mesh, [_service()]))
            for name, pod in pods.items():
                stack.enter_context(configured(sample.mesh, [entry_of(pod)], [name]))
            everybody = len(callers)
            arrive(sample.mesh, knowing, until=lambda count: count == everybody, what=MACHINE)
            yield
    finally:
        await_healed(sample, lambda: knowing() == 0, f"the end of {MACHINE}")


def where(sample: Sample, caller: str) -> list[str]:
    """Where a caller's proxy calls the service, as "address:port"."""
    return [f"{one.address}:{one.port}" for one in endpoints(sample.caller(caller), KNOWN_AS)]


def ways_to(sample: Sample, caller: str, pod: PodWorkload) -> set[str]:
    """Where it should call a pod: at its address on its own network, else at the gateways that
    lead to it."""
    return set(map(str, sample.ways(caller, pod)))


def entry_of(pod: PodWorkload) -> Object:
    """What announces a pod."""
    spec = {
        "address": str(pod.address),
        "serviceAccount": HELLOWORLD,
        "labels": {"app": _LABEL, "security.istio.io/tlsMode": "istio"},
    }
    return _object("WorkloadEntry", f"{_LABEL}-{pod.cluster}", spec)


def _service() -> Object:
    spec = {
        "hosts": [MACHINE],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "ports": [{"number": PORT, "name": "http", "protocol": "HTTP"}],
        "workloadSelector": {"labels": {"app": _LABEL}},
    }
    return _object("ServiceEntry", _LABEL, spec)


def _object(kind: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": _NETWORKING, "kind": kind, "metadata": metadata, "spec": spec}
