"""Topologies for people and programs: as a list, as a drawing in text, as JSON; from their data."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from itertools import permutations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from meshproof.mesh.upkeep import Change, Upkeep
from meshproof.model import (
    Flow,
    Machine,
    Member,
    Role,
    Topology,
    clusters_read,
    machine_fields,
    member_fields,
)
from meshproof.model.machine import machine_flows
from meshproof.report.words import Grid
from meshproof.telling import shown

_WIDTH = 78
_MARKS = {Role.PRIMARY: "◆", Role.REMOTE: "◇", Role.EXTERNAL: "◈", Role.HOST: "◎"}
UPKEEP = (
    "objects",
    "with a mesh more",
    "mesh configurations then",
    "when a gateway moves",
)
"""What is told of a federation's upkeep: objects in all, and those that are new or changed, with
the number of clusters that they are in."""
_MACHINE = "▣"
LEGEND = "◆ istiod and workloads   ◇ served by another's istiod   ◈ istiod for others alone"
_WITH_MACHINES = f"{LEGEND}\n{_MACHINE} machine outside Kubernetes"
_WITH_HOST = f"{LEGEND}\n{_MARKS[Role.HOST]} manages others through their API servers"
_WORDS = {Flow.POD: "pods", Flow.GATEWAY: "gateways", Flow.API: "the API server"}


def listing(topologies: Iterable[Topology], usual: Collection[str]) -> Grid:
    """Topologies with what they are made of. ``usual``: the names of those that are judged
    unasked."""
    rows = [
        (
            one.name,
            (
                ", ".join(one.names),
                str(len(one.networks)),
                str(len(one.control_planes)),
                "by default" if one.name in usual else "on demand",
            ),
        )
        for one in topologies
    ]
    return Grid("Topologies", ("clusters", "networks", "istiods", "judged"), rows)


def drawing(topology: Topology) -> RenderableType:
    """A topology's clusters and machines in their networks, with what each runs; below them who
    reads whom, and what may pass between networks."""
    of_machines = (one.network for one in topology.machines)
    networks = dict.fromkeys([*(one.network for one in topology.members), *of_machines])
    parts: list[RenderableType] = [Text(shown(topology.name), style="bold")]
    for number, name in enumerate(networks):
        if number and topology.host is None:
            directly = not topology.on(name)
            parts.append(
                Text(f"      ║ by gateways{', machines directly' if directly else ' alone'}")
            )
        parts.append(_network(name, topology))
    parts += [Text(shown(line)) for line in (*_reading(topology), *_passing(topology))]
    legend = _WITH_MACHINES if topology.machines else LEGEND
    return Group(*parts, Text(legend if topology.host is None else _WITH_HOST, style="dim"))


def as_json(topologies: Iterable[Topology], usual: Collection[str]) -> str:
    """The same for programs."""
    data = [
        {
            "name": one.name,
            "default": one.name in usual,
            "networks": list(one.networks),
            "clusters": [member_fields(one, member) for member in one.members],
            **({"machines": list(map(machine_fields, one.machines))} if one.machines else {}),
        }
        for one in topologies
    ]
    return json.dumps(data, indent=1)


def federation(name: str, kept: Iterable[Upkeep]) -> Grid:
    """What a federation takes, a row for each number of meshes."""
    rows = [(f"{one.meshes} meshes", upkeep_row(one)) for one in kept]
    return Grid(f"What people write for {name}, and in how many clusters", UPKEEP, rows)


def upkeep_row(kept: Upkeep) -> tuple[str, ...]:
    """What a federation of so many meshes takes, a cell for each of ``UPKEEP``."""
    return (
        str(kept.objects),
        _spread(kept.another),
        _spread(kept.trust),
        _spread(kept.worst_move),
    )


def _spread(change: Change) -> str:
    return f"{change.objects} in {len(change.clusters)}"


def _network(name: str, topology: Topology) -> Panel:
    machines = [one for one in topology.machines if one.network == name]
    rows = [
        *((_MARKS[one.role], one.name, _runs(topology, one)) for one in topology.on(name)),
        *((_MACHINE, one.name, _runs_on(one)) for one in machines),
    ]
    longest = max(len(one) for _, one, _ in rows)
    lines = [f"{mark} {one:{longest}}  {', '.join(runs)}" for mark, one, runs in rows]
    return Panel(
        Text(shown("\n".join(lines))),
        title=Text(shown(f"network {name}")),
        title_align="left",
        width=_WIDTH,
    )


def _runs(topology: Topology, member: Member) -> Iterator[str]:
    """What a cluster has, in a few words each."""
    if member.role is Role.HOST:
        yield f"manages {', '.join(topology.managed)}"
        return
    if member.role is Role.REMOTE:
        yield f"served by {member.primary}"
    else:
        yield "istiod"
    if len(topology.meshes) > 1:
        yield f"mesh {member.mesh.name}"
    if member.gateway is not None:
        by = " by a host name" if member.gateway.hostname else ""
        yield f"gateway :{member.gateway.port}{by}"
    for one in topology.placements:
        if one.cluster == member.name:
            yield one.version if one.replicas == 1 else f"{one.replicas} x {one.version}"
    if member.zones:
        yield f"zones {', '.join(member.zones)}"


def _runs_on(machine: Machine) -> Iterator[str]:
    yield f"served by {machine.primary}"
    if machine.version:
        yield machine.version
    if machine.locality:
        yield f"in {machine.locality}"


def _reading(topology: Topology) -> Iterator[str]:
    for member in topology.control_planes:
        reads = clusters_read(topology, member)
        if reads:
            yield f"istiod in {member.name} reads {', '.join(reads)}, by a remote secret"
    for name, exposure in topology.imports:
        yield f"{exposure.provider} exposes {exposure.service} to {name}, as {exposure.host}"


def _passing(topology: Topology) -> Iterator[str]:
    """What may pass between clusters, those of which the same may together."""
    ways: dict[str, list[str]] = {}
    for caller, called in permutations(topology.names, 2):
        passing = topology.flows(caller, called)
        what = [words for flow, words in _WORDS.items() if flow in passing] or ["nothing"]
        ways.setdefault(", ".join(what), []).append(f"{caller} → {called}")
    words = {**_WORDS, Flow.POD: "its machines"}
    for (caller, called), flows in machine_flows(topology).items():
        for flow in flows:
            ways.setdefault(words[flow], []).append(f"{caller} → {called}")
    for said, pairs in ways.items():
        yield f"{', '.join(pairs)}: {said}"
