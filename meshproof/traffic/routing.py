"""Routing rules in force: applied, arrived in the proxies that obey them, and gone again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from meshproof.errors import LabError
from meshproof.lab.objects import Object, applied
from meshproof.lab.seam import lab_errors
from meshproof.lab.spot import Spot, pod_spot
from meshproof.mesh.config_dump import CLUSTERS, LISTENERS, ROUTES, in_use
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import GATEWAY
from meshproof.process import side_by_side
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import PORT, Sample

# Istio notes in each part of a proxy's configuration which object it comes from.
_WHERE = {
    "VirtualService": ("virtual-service", ROUTES),
    "DestinationRule": ("destination-rule", CLUSTERS),
}


@contextmanager
def in_force(sample: Sample, objects: Sequence[Object]) -> Iterator[None]:
    """The primary has the objects, and the proxies obey them inside the block as far as they do
    within half a minute; afterwards they are gone again, or the mesh is marked dirty.

    For VirtualServices and DestinationRules with names of their own, as ``mesh.routes`` makes.
    """
    primary = sample.mesh.deployment.topology.primaries[0]
    wanted = _marks(sample, objects)
    try:
        with applied(sample.mesh.cluster(primary.name), objects):
            converge(
                lambda: len(_found(sample, wanted)),
                until=lambda found: found == len(wanted),
                what="rules in the proxies",
            )
            yield
    finally:
        gone = "rules to be gone from the proxies"
        converge(lambda: len(_found(sample, wanted)), until=lambda found: found == 0, what=gone)
        if left := _found(sample, wanted):
            sample.mesh.mark_dirty(f"deleted, but still in a proxy: {left[0]}")


def knows(sample: Sample, cluster: str, one: Object) -> bool:
    """Whether sleep's proxy in a cluster uses a VirtualService or a DestinationRule."""
    return bool(_found(sample, [_by_name(sample.caller(cluster).spot, one)]))


_Mark = tuple[Spot, str, str]
"""A proxy, the part of its configuration, and the text by which a rule is known there."""


def _marks(sample: Sample, objects: Sequence[Object]) -> list[_Mark]:
    """What every sleep's proxy has of each object; gateways have a way in for each subset."""
    topology = sample.mesh.deployment.topology
    callers = [sample.caller(name).spot for name in topology.names]
    marks = [_by_name(spot, one) for spot in callers for one in objects]
    # On one network nothing is sent through the gateways.
    if len(topology.networks) > 1:
        gateways = [_gateway(sample, one.name) for one in topology.members if one.gateway]
        marks += [(spot, LISTENERS, sni) for spot in gateways for sni in _names(objects)]
    return marks


def _by_name(spot: Spot, one: Object) -> _Mark:
    kind, part = _WHERE[one["kind"]]
    return spot, part, f"/{kind}/{one['metadata']['name']}"


def _names(objects: Sequence[Object]) -> list[str]:
    """By which server names (SNI) the gateways let calls to subsets in."""
    return [
        f"outbound_.{PORT}_.{subset['name']}_.{one['spec']['host']}"
        for one in objects
        for subset in one["spec"].get("subsets", [])
    ]


def _gateway(sample: Sample, cluster: str) -> Spot:
    running = sample.mesh.cluster(cluster)
    with lab_errors(f"find the gateway of {cluster}"):
        pods = running.core.list_namespaced_pod(SYSTEM, label_selector=f"app={GATEWAY}").items
    alive = [pod.metadata.name for pod in pods if pod.metadata.deletion_timestamp is None]
    if not alive:
        raise LabError(f"{cluster} has no pod of its gateway")
    return pod_spot(running, SYSTEM, alive[0], container="istio-proxy")


def _found(sample: Sample, marks: Sequence[_Mark]) -> list[str]:
    """The marks that are there, in words."""
    asked = sorted({(spot, part) for spot, part, _ in marks}, key=str)
    texts = side_by_side(sample.mesh.shell, lambda one: in_use(*one), asked)
    dumps = dict(zip(asked, texts, strict=True))
    return [f"{text} of {spot}" for spot, part, text in marks if text in dumps[spot, part]]
