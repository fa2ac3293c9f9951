"""Routing rules in force: applied, arrived in the proxies that obey them, and gone again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from meshproof.errors import EvidenceError
from meshproof.kube.objects import Object
from meshproof.kube.workload import Workload
from meshproof.mesh.config_dump import CLUSTERS, LISTENERS, ROUTES, in_use
from meshproof.mesh.configuration import configured
from meshproof.mesh.gateways import gateway_workload, sni_of
from meshproof.mesh.proxy import outbound
from meshproof.process import side_by_side
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import PORT, Sample

# Istio notes in each part of a proxy's configuration which object it comes from.
_WHERE = {
    "VirtualService": ("virtual-service", ROUTES),
    "DestinationRule": ("destination-rule", CLUSTERS),
}


@contextmanager
def in_force(
    sample: Sample, objects: Sequence[Object], clusters: Collection[str] | None = None
) -> Iterator[Sequence[str]]:
    """The objects are applied, and the proxies obey them inside the block as far as they do
    within half a minute; afterwards they are gone again, or the mesh is marked dirty.

    Yields what is still missing in proxies by then, in words. For VirtualServices and
    DestinationRules with names of their own, as ``mesh.routes`` makes.
    ``clusters``: where they are applied, by default wherever configuration counts: each primary
    governs its own callers, so rules for everybody are in every primary.
    """
    where = sample.mesh.deployment.topology.config_clusters if clusters is None else clusters
    wanted = _marks(sample, objects, where)
    missing, left = list(wanted), list(wanted)

    def arrived() -> bool:
        found = _found(sample, wanted)
        missing[:] = [one for one in wanted if one not in found]
        return not missing

    def gone() -> bool:
        left[:] = _found(sample, wanted)
        return not left

    try:
        with configured(sample.mesh, objects, where):
            if not converge(arrived, what="rules in the proxies"):
                sample.mesh.unmet.extend(map(_told, missing))
            yield tuple(map(_told, missing))
    finally:
        if not converge(gone, what="rules to be gone from the proxies"):
            sample.mesh.mark_dirty(f"deleted, but still in a proxy: {_told(left[0])}")


@contextmanager
def ruled(
    sample: Sample, objects: Sequence[Object], clusters: Collection[str] | None = None
) -> Iterator[None]:
    """As ``in_force``, and every proxy that is governed by them uses the objects inside the block.

    Raises EvidenceError when one does not.
    """
    with in_force(sample, objects, clusters) as missing:
        if missing:
            raise EvidenceError(f"nothing can be claimed: missing is {', '.join(missing)}")
        yield


def knows(sample: Sample, cluster: str, one: Object) -> bool:
    """Whether sleep's proxy in a cluster uses a VirtualService or a DestinationRule."""
    return bool(_found(sample, [_by_name(sample.caller(cluster), one)]))


_Mark = tuple[Workload, str, str]
"""A proxy, the part of its configuration, and the text by which a rule is known there."""


def _marks(sample: Sample, objects: Sequence[Object], where: Collection[str]) -> list[_Mark]:
    """What each sleep's proxy has of each object, if its configuration is one of those, and
    gateways have a way in for each subset. A subset's Envoy cluster is there only once it knows
    its endpoints, later than the rule's name is: until then calls are 503 (NC)."""
    topology = sample.mesh.deployment.topology
    governed = [topology[name] for name in sample.clusters if topology.configured_by(name) in where]
    callers = [sample.caller(one.name) for one in governed]
    subsets = _subsets(objects)
    marks = [_by_name(workload, one) for workload in callers for one in objects]
    marks += [(workload, CLUSTERS, outbound(*one)) for workload in callers for one in subsets]
    ways = [one.name for one in topology.eastwest_gateways if one in governed]
    gateways = [gateway_workload(sample.mesh, name) for name in ways]
    marks += [
        (workload, part, sni_of(*one))
        for workload in gateways
        for one in subsets
        for part in (LISTENERS, CLUSTERS)
    ]
    return marks


def _by_name(workload: Workload, one: Object) -> _Mark:
    kind, part = _WHERE[one["kind"]]
    return workload, part, f"/{kind}/{one['metadata']['name']}"


def _subsets(objects: Sequence[Object]) -> list[tuple[str, int, str]]:
    """Host, port and name of each subset: sidecars and gateways name it after these."""
    return [
        (one["spec"]["host"], PORT, subset["name"])
        for one in objects
        for subset in one["spec"].get("subsets", [])
    ]


def _found(sample: Sample, marks: Sequence[_Mark]) -> list[_Mark]:
    """The marks that are there."""
    asked = sorted({(workload, part) for workload, part, _ in marks}, key=str)
    texts = side_by_side(sample.mesh.shell, lambda one: in_use(*one), asked)
    dumps = dict(zip(asked, texts, strict=True))
    return [
        (workload, part, text) for workload, part, text in marks if text in dumps[workload, part]
    ]


def _told(mark: _Mark) -> str:
    workload, _, text = mark
    return f"{text} of {workload}"
