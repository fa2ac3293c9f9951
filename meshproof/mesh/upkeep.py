"""What a federation takes to keep, as the document has it that names gateways by hand: how many
objects people write, and how many of them are other ones after a change.

Nothing of it is a formula. What is counted is what ``exposure`` and ``Blueprint`` would apply,
before a change and after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import IPv4Address

from meshproof.kube.objects import Object
from meshproof.mesh.blueprint import Blueprint
from meshproof.mesh.exposure import Served, exposed_objects
from meshproof.mesh.sketch import on_paper, sketched, ways_on_paper
from meshproof.model import Topology
from meshproof.model.growth import with_another_mesh

_ELSEWHERE = IPv4Address("198.51.100.200")
"""Where a gateway goes that moves: an address of documentation's (RFC 5737) that none has."""
_Key = tuple[str, str, str]
_Written = Mapping[_Key, object]
"""What people write, by the cluster that it is in, its kind and its name."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a change comes to. ``new`` and ``other``: the objects that were not there before, and
    those that said something else; ``clusters``: those in which there are any."""

    new: int
    other: int
    clusters: tuple[str, ...]

    @property
    def objects(self) -> int:
        """All of them."""
        return self.new + self.other


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What a federation takes. ``objects``: the gateways' Gateways, and the entries and rules of
    exposed services, in all clusters; ``another``: what it takes to take one mesh more in;
    ``trust``: the mesh configurations that change for it; ``moves``: what it takes when a gateway
    has another address, by the gateway's cluster."""

    meshes: int
    objects: int
    another: Change
    trust: Change
    moves: Mapping[str, Change]

    @property
    def worst_move(self) -> Change:
        """What it takes at most when a gateway has another address."""
        return max(self.moves.values(), key=lambda one: one.objects)


def upkeep(topology: Topology, served: Sequence[Served]) -> Upkeep:
    """What a topology's federation takes. ``served``: the services that the workloads have. Raises
    ModelError where no mesh exposes anything."""
    plan, grown = on_paper(sketched(topology)), on_paper(sketched(with_another_mesh(topology)))
    before = _written(plan, served)
    gateways = (one for exposed in topology.exposes for one in ways_on_paper(plan, exposed))
    addresses = {one.address for one in gateways}
    moves = {
        name: _change(before, _written(_moved(plan, name), served))
        for name, address in plan.gateways.items()
        if address in addresses
    }
    return Upkeep(
        len(topology.meshes),
        len(before),
        _change(before, _written(grown, served)),
        _change(_trusted(plan), _trusted(grown)),
        moves,
    )


def growing(topology: Topology, served: Sequence[Served], most: int) -> Iterator[Upkeep]:
    """What a federation takes as it is, and with one mesh more each time up to ``most``. Raises
    ModelError as ``upkeep`` does."""
    found = upkeep(topology, served)
    yield found
    while found.meshes < most:
        topology = with_another_mesh(topology)
        found = upkeep(topology, served)
        yield found


def _written(plan: Blueprint, served: Sequence[Served]) -> _Written:
    topology = plan.deployment.topology
    found: dict[str, list[Object]] = {name: [] for name in topology.config_clusters}
    for member in topology.control_planes:
        found[topology.config_cluster(member.name)] += plan.exposing(member)
    for name, objects in found.items():
        objects += exposed_objects(topology, name, served, partial(ways_on_paper, plan))
    return {
        (name, one["kind"], one["metadata"]["name"]): one
        for name, objects in found.items()
        for one in objects
    }


def _trusted(plan: Blueprint) -> _Written:
    """What each mesh configuration says, in the cluster where its istiod reads it."""
    topology = plan.deployment.topology
    names = [topology.config_cluster(one.name) for one in topology.control_planes]
    return {
        (name, "IstioOperator", "istio"): plan.control_plane(topology[name])["spec"]["meshConfig"]
        for name in names
    }


def _moved(plan: Blueprint, gateway: str) -> Blueprint:
    return replace(plan, gateways={**plan.gateways, gateway: _ELSEWHERE})


def _change(before: _Written, after: _Written) -> Change:
    new = [key for key in after if key not in before]
    other = [key for key, one in after.items() if key in before and one != before[key]]
    return Change(len(new), len(other), tuple(dict.fromkeys(key[0] for key in (*new, *other))))
