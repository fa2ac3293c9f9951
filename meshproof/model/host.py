"""Clusters that a host manages: which those are, what of it the others reach, and what cannot be.
Data, no I/O.

A host cluster reaches the API servers of its members; members need not reach each other, do not
know of the host, and go on without it ("Multicluster Management With Kubernetes and Istio").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.model.member import Member, Role, TopologyError

if TYPE_CHECKING:
    from meshproof.model.topology import Topology

# What a cluster has for a mesh, and a host is part of none.
_OF_MESHES = {
    "gateway": "no gateway leads to it",
    "reads": "it has no istiod that reads clusters",
    "region": "nothing asks where its nodes are",
    "zones": "nothing asks where its nodes are",
}


def is_managed(topology: Topology, name: str) -> bool:
    """Whether a cluster is one that the topology's host manages."""
    host = topology.host
    if host is None or name == host.name:
        return False
    return host.manages is None or name in host.manages


def can_be_pushed(topology: Topology) -> bool:
    """Whether there is a host that manages all that is meshed, and so can install it."""
    meshed = [one.name for one in topology.meshed]
    return topology.host is not None and all(name in topology.managed for name in meshed)


def meet(topology: Topology, caller: str, called: str) -> bool:
    """Whether one cluster may be called by another as clusters of meshes are: those of one mesh,
    and those of which one exposes a service to the other. Where there is no host, all."""
    if topology.host is None:
        return True
    if topology.host.name in (caller, called):
        return False
    if topology[caller].mesh == topology[called].mesh:
        return True
    exposed = [
        {one, provider}
        for one, exposure in topology.imports
        for provider in topology.providers(exposure)
    ]
    return {caller, called} in exposed


def check_hosts(topology: Topology) -> None:
    """Raise TopologyError for a host that cannot be, the plainest fault first."""
    hosts = [one for one in topology.members if one.role is Role.HOST]
    for one in topology.members:
        if one.manages is not None and one not in hosts:
            cause = f"{one.name} manages clusters, and has the role {one.role.value}"
            remedy = f"leave 'manages' out, or give {one.name} the role host"
            raise TopologyError(("clusters", one.name, "manages"), cause, remedy)
    for other in hosts[1:]:
        cause = f"{hosts[0].name} and {other.name} both have the role host"
        remedy = f"give {other.name} another role"
        raise TopologyError(("clusters", other.name, "role"), cause, remedy)
    for host in hosts:
        _check_parts(host)
        _check_network(topology, host)
        _check_managed(topology, host)


def _check_parts(host: Member) -> None:
    for key, why in _OF_MESHES.items():
        if getattr(host, key) not in (None, "", ()):
            at = ("clusters", host.name, key)
            raise TopologyError(at, f"{host.name} is a host, so {why}", f"leave '{key}' out")


def _check_network(topology: Topology, host: Member) -> None:
    beside = [one.name for one in topology.on(host.network) if one != host]
    beside += [one.name for one in topology.machines if one.network == host.network]
    if beside:
        cause = f"{host.name} is a host and shares its network {host.network} with {beside[0]}"
        raise TopologyError(
            ("clusters", host.name, "network"),
            f"{cause}, which must not reach it",
            f"put {host.name} on a network of its own",
        )


def _check_managed(topology: Topology, host: Member) -> None:
    able = [one.name for one in topology.members if one != host]
    remedy = f"name {' or '.join(able)}" if able else "add clusters that it manages"
    for name in host.manages or ():
        if name not in able:
            what = "itself" if name == host.name else f"{name!r}, which is no cluster here"
            at = ("clusters", host.name, "manages")
            raise TopologyError(at, f"{host.name} cannot manage {what}", remedy)
    if not topology.managed:
        cause = f"{host.name} is a host and manages no cluster"
        key = ("manages",) if host.manages is not None else ()
        raise TopologyError(("clusters", host.name, *key), cause, remedy)
