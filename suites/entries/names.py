"""Further names for helloworld: a ServiceEntry that selects its pods, and an alias."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from meshproof.kube.objects import Object, applied
from meshproof.mesh.config_dump import ROUTES, in_use
from meshproof.mesh.configuration import configured
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.mesh.routes import host_of, virtual_service
from meshproof.process import side_by_side
from meshproof.traffic.calls import HELLO, Plan
from meshproof.traffic.services import await_forgotten, unknown
from meshproof.traffic.settle import arrive, await_healed
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, PORT, Sample

ENTRY = "pods.entries.local"
"""The ServiceEntry's host: of the names that gateways let in, ``*.local``."""
ALIAS = "alias"
"""The ExternalName Service."""
ALIAS_HOST = host_of(ALIAS, NAMESPACE)
BY_ENTRY = Plan(HELLO, headers={"host": ENTRY})
"""A call that names the entry. That a name resolves is for others to judge: a proxy goes by what a
request says it is for."""
BY_ALIAS = Plan(f"http://{ALIAS}.{NAMESPACE}:{PORT}/hello")
BY_RULE = Plan(HELLO)
"""A call to helloworld itself, which a rule sends to the alias."""
OTHER_PORT = 8080
"""A port that helloworld does not have."""


def to_the_alias() -> Object:
    """A rule that sends helloworld's calls to its alias."""
    return virtual_service(HOST, [{"route": [{"destination": {"host": ALIAS_HOST}}]}])


def entry(**labels: str) -> Object:
    """A ServiceEntry for the pods of helloworld, of those with these labels
    (https://istio.io/latest/docs/reference/config/networking/service-entry/)."""
    port = {"number": PORT, "name": "http", "protocol": "HTTP", "targetPort": PORT}
    spec = {
        "hosts": [ENTRY],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "ports": [port],
        "workloadSelector": {"labels": {"app": HELLOWORLD, **labels}},
    }
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "pods", "namespace": NAMESPACE},
        "spec": spec,
    }


def alias(port: int = PORT) -> Object:
    """A Service that is another name for helloworld
    (https://kubernetes.io/docs/concepts/services-networking/service/#externalname). ``port``: the
    one that it declares, which Kubernetes makes nothing of."""
    spec = {
        "type": "ExternalName",
        "externalName": HOST,
        "ports": [{"name": "http", "port": port}],
    }
    metadata = {"name": ALIAS, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


@contextmanager
def entered(sample: Sample, one: Object) -> Iterator[None]:
    """The ServiceEntry is wherever configuration counts inside the block; proxies learn of it
    later. Afterwards they have forgotten it, or the mesh is marked dirty."""
    try:
        with configured(sample.mesh, [one]):
            yield
    finally:
        if not await_forgotten(sample, [ENTRY]):
            sample.mesh.mark_dirty(f"deleted, but still in a proxy: {ENTRY}")


@contextmanager
def aliased(sample: Sample, port: int = PORT) -> Iterator[None]:
    """Every cluster with workloads has the alias inside the block, and proxies know it, or half a
    minute has passed: then whoever calls finds what is there. Afterwards none does, or the mesh is
    marked dirty."""
    callers = [sample.caller(name) for name in sample.clusters]

    def knowing() -> int:
        texts = side_by_side(sample.mesh.shell, lambda one: in_use(one, ROUTES), callers)
        return sum(f'"{ALIAS_HOST}"' in text for text in texts)

    try:
        with ExitStack() as stack:
            for name in sample.clusters:
                stack.enter_context(applied(sample.mesh.cluster(name), [alias(port)]))
            known = len(callers)
            arrive(sample.mesh, knowing, until=lambda count: count == known, what=ALIAS_HOST)
            yield
    finally:
        await_healed(sample, lambda: knowing() == 0, f"the end of {ALIAS_HOST}")


def await_entry(sample: Sample) -> None:
    """Wait until proxies know the same endpoints of the entry as of helloworld, or half a minute
    has passed: then whoever calls finds what is there."""
    missing = partial(unknown, sample, ENTRY)
    arrive(sample.mesh, missing, until=lambda left: not left, what="the entry's pods")


def known_of(sample: Sample) -> list[int]:
    """How many endpoints of the entry each caller's proxy knows."""
    return [len(endpoints(sample.caller(name), outbound(ENTRY, PORT))) for name in sample.clusters]
