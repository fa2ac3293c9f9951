"""A namespace aside, with helloworld in each cluster, and selectors that pass it over by a label.

https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-discovery_selectors
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

from meshproof.kube.objects import Object, applied, apply, await_absence
from meshproof.kube.rollout import await_rollout
from meshproof.mesh.mesh import Way
from meshproof.mesh.mesh_config import mesh_configured
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.mesh.routes import host_of
from meshproof.process import side_by_side
from meshproof.traffic.services import await_forgotten
from meshproof.traffic.settle import arrive
from meshproof.workloads.sample import (
    HELLOWORLD,
    PORT,
    Sample,
    helloworld_objects,
    helloworld_service,
    namespace_object,
)

ASIDE = "aside"
HOST_ASIDE = host_of(HELLOWORLD, ASIDE)
URL_ASIDE = f"http://{HELLOWORLD}.{ASIDE}:{PORT}/hello"
_PASSED_OVER = "meshproof.io/passed-over"
_SELECTORS = {
    "discoverySelectors": [
        {"matchExpressions": [{"key": _PASSED_OVER, "operator": "DoesNotExist"}]}
    ]
}


@contextmanager
def aside(sample: Sample) -> Iterator[None]:
    """Each cluster that a version belongs into has it once more, in a namespace aside, inside the
    block; every cluster has the Service. Afterwards they are gone, also from the proxies, or the
    mesh is marked dirty. Raises LabError or WaitTimeoutError."""
    mesh = sample.mesh
    clusters = [mesh.cluster(name) for name in sample.clusters]
    with ExitStack() as stack:
        for one in clusters:
            objects = [_namespace(sample), helloworld_service(ASIDE), *_versions(sample, one.name)]
            stack.enter_context(applied(one, objects))
        shell = mesh.shell
        side_by_side(
            shell,
            lambda one: await_rollout(one, ASIDE, _deployments(sample, one.name), shell),
            clusters,
        )
        yield
    if not await_forgotten(sample, [HOST_ASIDE]):
        mesh.mark_dirty(f"deleted, but still in a proxy: {HOST_ASIDE}")
    side_by_side(mesh.shell, lambda one: await_absence(one, ASIDE), clusters)


@contextmanager
def selecting(sample: Sample) -> Iterator[None]:
    """The mesh knows of the namespaces alone that have no label to pass them over, inside the
    block; afterwards of all."""
    with mesh_configured(sample.mesh, _SELECTORS):
        yield


@contextmanager
def passed_over(sample: Sample, clusters: Collection[str]) -> Iterator[None]:
    """In these clusters the namespace aside has the label, inside the block, and proxies know what
    they should by that, as far as they do within half a minute; afterwards it has it in none, and
    they know all of it again, as far as they do."""
    try:
        for name in clusters:
            apply(sample.mesh.cluster(name), [_namespace(sample, passed_over=True)])
        _arrive(sample, clusters)
        yield
    finally:
        for name in clusters:
            apply(sample.mesh.cluster(name), [_namespace(sample)])
        _arrive(sample, ())


def due(sample: Sample, caller: str, passed: Collection[str]) -> set[Way]:
    """Where a cluster's sidecars should call helloworld aside, which is passed over in some."""
    found = [one for one in sample.servers(ASIDE).values() if one.cluster not in passed]
    known = [one for one in found if sample.topology.knows(caller, one.cluster)]
    return {way for one in known for way in sample.ways(caller, one)}


def known_ways(sample: Sample, caller: str) -> set[str]:
    """Where the proxy of a cluster's sleep would call helloworld aside."""
    known = endpoints(sample.caller(caller), outbound(HOST_ASIDE, PORT))
    return {f"{one.address}:{one.port}" for one in known}


def _arrive(sample: Sample, passed: Collection[str]) -> None:
    wanted = {name: set(map(str, due(sample, name, passed))) for name in sample.clusters}
    where = ", ".join(passed) or "no cluster"
    arrive(
        sample.mesh,
        lambda: {name: known_ways(sample, name) for name in sample.clusters},
        until=lambda known: known == wanted,
        what=f"that {ASIDE} is passed over in {where}",
    )


def _namespace(sample: Sample, *, passed_over: bool = False) -> Object:
    made = namespace_object(ASIDE, injected=True, revision=sample.mesh.deployment.revision)
    made["metadata"]["labels"] |= {_PASSED_OVER: "yes"} if passed_over else {}
    return made


def _versions(sample: Sample, cluster: str) -> list[Object]:
    versions = sample.versions_in(cluster)
    return [one for name in versions for one in helloworld_objects(name, namespace=ASIDE)]


def _deployments(sample: Sample, cluster: str) -> set[str]:
    return {f"{HELLOWORLD}-{version}" for version in sample.versions_in(cluster)}
