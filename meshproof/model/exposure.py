"""Services that a mesh exposes to others, and what must hold of them. Data, no I/O.

Meshes that expose services to each other are a federation: nothing else is shared, and nothing is
merged (https://istio.io/latest/docs/ops/deployment/deployment-models/#multiple-meshes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.model.member import Role, TopologyError

if TYPE_CHECKING:
    from meshproof.model.topology import Topology

EXPOSABLE = ("helloworld.sample",)
"""The services that the workloads of every topology have to expose."""
ZONE = "global"
"""The zone that the names of exposed services are in."""
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"({_LABEL}\.)+{ZONE}")
_LONGEST_HOST = 253


@dataclass(frozen=True, slots=True)
class Exposure:
    """One service that a mesh, or one cluster of it, exposes to others.

    ``provider``: the mesh or the cluster, by name; ``service``: name and namespace, as in
    "helloworld.sample"; ``consumers``: the meshes or clusters that may call it; ``host``: the name
    under which they do, as in "helloworld.sample.global".
    """

    provider: str
    service: str
    consumers: tuple[str, ...]
    host: str

    def at(self, *keys: str) -> tuple[str, ...]:
        """Where a topology file says something of it."""
        return ("exposes", self.provider, self.service, *keys)


def clusters_named(topology: Topology, name: str) -> tuple[str, ...]:
    """The cluster of that name, or those with workloads of the mesh of that name; () where there
    is neither."""
    if name in topology.names:
        return (name,)
    return tuple(one for one in topology.workloads if topology[one].mesh.name == name)


def check_exposures(topology: Topology) -> None:
    """Raise TopologyError for an exposure that cannot be, the plainest fault first."""
    hosts: dict[str, Exposure] = {}
    for one in topology.exposes:
        _check_service(one)
        _check_party(topology, one.provider, one.at()[:2])
        if not one.consumers:
            cause = f"{one.provider} exposes {one.service} to nobody"
            raise TopologyError(one.at("to"), cause, "name a mesh or a cluster, or leave it out")
        for consumer in one.consumers:
            _check_party(topology, consumer, one.at("to"))
        _check_meshes(topology, one)
        _check_gateways(topology, one)
        other = hosts.setdefault(one.host, one)
        if other is not one:
            cause = f"{one.provider} and {other.provider} both expose {one.host}"
            remedy = f"give one of them another name, as in 'as: helloworld.{one.provider}.{ZONE}'"
            raise TopologyError(one.at("as"), cause, remedy)


def _check_service(one: Exposure) -> None:
    if one.service not in EXPOSABLE:
        cause = f"there is no service {one.service[:60]!r} that {one.provider} could expose"
        raise TopologyError(one.at(), cause, f"write {' or '.join(EXPOSABLE)}")
    if not _HOST.fullmatch(one.host) or len(one.host) > _LONGEST_HOST:
        cause = f"{one.host[:60]!r} is no name to expose a service under"
        remedy = f"write a DNS name that ends in .{ZONE}, as in {one.service}.{ZONE}"
        raise TopologyError(one.at("as"), cause, remedy)


def _check_party(topology: Topology, name: str, at: tuple[str, ...]) -> None:
    """Whether a name stands for clusters with workloads, and for which."""
    meshes = [one.name for one in topology.meshes]
    if name not in topology.names and name not in meshes:
        known = " or ".join(dict.fromkeys((*meshes, *topology.names)))
        cause = f"{name[:60]!r} is no mesh and no cluster of {topology.name}"
        raise TopologyError(at, cause, f"name {known}")
    if name in topology.names and topology[name].role is Role.EXTERNAL:
        cause = f"{name} is external, so no workloads call or are called there"
        raise TopologyError(at, cause, "name a cluster that has workloads")
    if name in topology.names and name in meshes:
        others = [one.name for one in topology.members if one.mesh.name == name]
        if others != [name]:
            cause = f"{name} is a cluster, and a mesh of other clusters ({', '.join(others)})"
            raise TopologyError(at, cause, "call one of the two otherwise")


def _check_meshes(topology: Topology, one: Exposure) -> None:
    """A service is exposed to other meshes, whose workloads take its own for what they are."""
    own = topology[topology.providers(one)[0]].mesh
    for name in topology.importers(one):
        other = topology[name].mesh
        if other == own:
            cause = f"{one.provider} exposes {one.service} to {name}, which is in the same mesh"
            raise TopologyError(one.at("to"), cause, "name clusters of other meshes alone")
        if other.root != own.root:
            cause = (
                f"{one.provider} exposes {one.service} to {name}, and their meshes have the roots "
                f"{own.root} and {other.root}, so neither takes the other's certificates"
            )
            raise TopologyError(one.at("to"), cause, "give both meshes one root")


def _check_gateways(topology: Topology, one: Exposure) -> None:
    if not set(topology.providers(one)) & set(topology.versions.values()):
        cause = f"{one.provider} exposes {one.service}, and no version of it runs there"
        raise TopologyError(one.at(), cause, "give it 'versions: [v1]', or leave this out")
    closed = [name for name in topology.providers(one) if not topology.gateways_to(name)]
    if closed:
        cause = f"{one.provider} exposes {one.service}, and {closed[0]} is behind no gateway"
        raise TopologyError(one.at(), cause, f"add 'gateway: true' to {closed[0]}")
