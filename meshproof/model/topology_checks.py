"""What a topology must be like to exist. Data, no I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from meshproof.model.exposure import check_exposures
from meshproof.model.host import check_hosts
from meshproof.model.machine import check_machines
from meshproof.model.member import Member, MeshSpec, Role, TopologyError

if TYPE_CHECKING:
    from meshproof.model.topology import Topology

# It is a label's value, and part of the names of Deployments, Services and subsets.
_VERSION = re.compile(r"[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?")
_MOST_REPLICAS = 10
# Istio's trust domains are DNS names (https://github.com/spiffe/spiffe, SPIFFE-ID.md).
_TRUST_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


def check_topology(topology: Topology) -> None:
    """Raise TopologyError for what cannot exist, the plainest fault first."""
    _check_clusters(topology)
    for member in topology.members:
        _check_primary(topology, member)
    _check_externals(topology)
    check_hosts(topology)
    _check_meshes(topology)
    check_machines(topology)
    _check_reads(topology)
    _check_gateways(topology)
    _check_ranges(topology)
    _check_placements(topology)
    _check_zones(topology)
    check_exposures(topology)


def _check_clusters(topology: Topology) -> None:
    if not topology.members:
        raise TopologyError(
            ("clusters",),
            f"topology {topology.name} has no clusters",
            "describe at least one, with the role primary",
        )
    for name in topology.names:
        if topology.names.count(name) > 1:
            raise TopologyError(
                ("clusters", name),
                f"two clusters are called {name}",
                "give each a name of its own",
            )
    if not topology.control_planes:
        raise TopologyError(
            ("clusters",),
            f"topology {topology.name} has no primary, so no cluster would run istiod",
            "give one cluster the role primary",
        )


def _check_primary(topology: Topology, member: Member) -> None:
    at = ("clusters", member.name, "primary")
    if member.role is not Role.REMOTE:
        if member.primary != member.name:
            role = {Role.PRIMARY: "a primary", Role.HOST: "a host"}.get(member.role, "external")
            raise TopologyError(
                at,
                f"{member.name} is {role} and cannot be served by {member.primary!r}",
                f"leave 'primary' out, or give {member.name} the role remote",
            )
        return
    choice = " or ".join(one.name for one in topology.control_planes)
    if member.primary not in topology.names:
        raise TopologyError(
            at,
            f"the primary of {member.name} is {member.primary!r}, which is no cluster here",
            f"name {choice}",
        )
    served_by = topology[member.primary].role
    if served_by in (Role.REMOTE, Role.HOST):
        raise TopologyError(
            at,
            f"the primary of {member.name} is {member.primary}, which has the role "
            f"{served_by.value}",
            f"name {choice}, or give {member.primary} the role primary",
        )


def _check_externals(topology: Topology) -> None:
    for member in topology.externals:
        if member.gateway is not None:
            raise TopologyError(
                ("clusters", member.name, "gateway"),
                f"{member.name} is external, so it has no workloads to lead to",
                "leave 'gateway' out",
            )
        if not topology.served_by(member.name):
            raise TopologyError(
                ("clusters", member.name, "role"),
                f"{member.name} is external and serves no cluster",
                f"give another cluster the role remote and 'primary: {member.name}'",
            )


def _check_meshes(topology: Topology) -> None:
    for mesh in topology.meshes:
        if not _TRUST_DOMAIN.fullmatch(mesh.trust_domain):
            raise TopologyError(
                ("meshes", mesh.name, "trust-domain"),
                f"{mesh.trust_domain!r} is no trust domain",
                "write a DNS name of lower-case letters, as in cluster.local",
            )
    for member in topology.remotes:
        primary = topology[member.primary]
        if primary.mesh != member.mesh:
            raise TopologyError(
                ("clusters", member.name, "mesh"),
                f"{member.name} is in the mesh {member.mesh.name}, but its primary "
                f"{primary.name} is in {primary.mesh.name}",
                "put both into one mesh",
            )


def _check_reads(topology: Topology) -> None:
    for member in topology.members:
        if member.reads is None:
            continue
        at = ("clusters", member.name, "reads")
        if member.role is Role.REMOTE:
            cause = f"{member.name} is a remote, so it has no istiod that reads clusters"
            raise TopologyError(at, cause, "leave 'reads' out")
        own = topology.config_cluster(member.name)
        known = [name for name in topology.workloads if name != own]
        for name in member.reads:
            if name not in known:
                cause = f"{member.name} cannot read {name!r}"
                remedy = f"name {' or '.join(known)}" if known else "leave 'reads' out"
                raise TopologyError(at, cause, remedy)
            if topology[name].mesh != member.mesh:
                cause = f"{member.name} cannot read {name!r}, which is in another mesh"
                raise TopologyError(at, cause, f"leave {name} out")
        for remote in topology.served_by(member.name):
            if remote.name != own and remote.name not in member.reads:
                cause = f"{member.name} serves {remote.name} and does not read it"
                raise TopologyError(at, cause, f"add {remote.name}")


def _check_gateways(topology: Topology) -> None:
    for remote in topology.remotes:
        primary = topology[remote.primary]
        if primary.role is Role.EXTERNAL:
            continue  # its istiod has an address of its own
        if primary.network != remote.network and primary.gateway is None:
            raise TopologyError(
                ("clusters", primary.name, "gateway"),
                f"{remote.name} is on another network than its primary {primary.name}, "
                "which has no gateway to reach istiod through",
                f"add 'gateway: true' to {primary.name}",
            )
    for mesh in topology.meshes:
        _check_ways_in(topology, mesh)


def _check_ways_in(topology: Topology, mesh: MeshSpec) -> None:
    """Each network with clusters of a mesh that has several is reached by a gateway of that mesh;
    one of machines alone is reached directly."""
    mine = [topology[name] for name in topology.workloads if topology[name].mesh == mesh]
    networks = dict.fromkeys(member.network for member in mine)
    if len(topology.networks_of(mesh)) == 1:
        _check_names_are_used(mine)
        return
    # A gateway leads into its own mesh, also where another mesh has one on the network.
    within = f"of the mesh {mesh.name} " if len(topology.meshes) > 1 else ""
    for network in networks:
        here = [member for member in mine if member.network == network]
        if not any(member.gateway is not None for member in here):
            raise TopologyError(
                ("clusters", here[0].name, "gateway"),
                f"no cluster {within}on the network {network} has a gateway, so no other network "
                "reaches it",
                f"add 'gateway: true' to {' or '.join(member.name for member in here)}",
            )


def _check_names_are_used(members: Sequence[Member]) -> None:
    """Nobody resolves the name of a gateway that no other network of its mesh calls."""
    for member in members:
        if member.gateway is not None and member.gateway.hostname:
            raise TopologyError(
                ("clusters", member.name, "gateway", "hostname"),
                f"the gateway of {member.name} is announced by a host name, and its mesh has no "
                "other network that would call it",
                "leave 'hostname' out, or put a cluster on another network",
            )


def _check_ranges(topology: Topology) -> None:
    for one, other in combinations(topology.members, 2):
        if one.network == other.network and one.cluster.overlaps(other.cluster):
            mine, theirs = one.cluster, other.cluster
            raise TopologyError(
                ("clusters", other.name, "network"),
                f"{one.name} (pods {mine.pods}, services {mine.services}) and {other.name} "
                f"(pods {theirs.pods}, services {theirs.services}) share the network "
                f"{one.network}, but their ranges overlap",
                "give them disjoint ranges, or put them on networks of their own",
            )


def _check_zones(topology: Topology) -> None:
    homes = set(topology.versions.values())
    for member in topology.members:
        at = ("clusters", member.name, "zones")
        if member.region and member.name not in homes:
            cause = f"no version of helloworld runs in {member.name}, so nothing tells its region"
            remedy = "leave 'region' and 'zones' out"
            raise TopologyError(("clusters", member.name, "region"), cause, remedy)
        if member.zones and not member.region:
            cause = f"the zones of {member.name} are in no region"
            raise TopologyError(at, cause, "add 'region', such as 'region: r1'")
        nodes = max(1, member.cluster.nodes - 1)  # workloads run on the workers, if there are any
        if len(member.zones) > nodes:
            cause = f"{member.name} has {len(member.zones)} zones and {nodes} nodes for workloads"
            remedy = "name a kind configuration with as many workers, or fewer zones"
            raise TopologyError(at, cause, remedy)


def _check_placements(topology: Topology) -> None:
    seen: dict[str, str] = {}
    for one in topology.placements:
        at = ("clusters", one.cluster, "versions")
        if one.cluster not in topology.workloads:
            what = "a host" if topology[one.cluster].role is Role.HOST else "external"
            cause = f"{one.cluster} is {what}, so no version of helloworld runs in it"
            raise TopologyError(at, cause, "leave 'versions' out")
        _check_version(at, one.version)
        if not 1 <= one.replicas <= _MOST_REPLICAS:
            cause = f"{one.replicas} is no number of instances of {one.version}"
            raise TopologyError(at, cause, f"write 1 to {_MOST_REPLICAS}")
        if one.version in seen:
            where = seen[one.version]
            cause = f"{one.version} is in {where} already: an answer tells by its version whence"
            raise TopologyError(at, cause, "give each cluster versions of its own")
        seen[one.version] = one.cluster
    _check_versions_of_machines(topology, dict(seen))
    for mesh in topology.meshes:
        if not any(topology[cluster].mesh == mesh for cluster in seen.values()):
            cause = f"no version of helloworld runs in the mesh {mesh.name}"
            raise TopologyError(("clusters",), cause, "give one of its clusters 'versions: [v1]'")


def _check_versions_of_machines(topology: Topology, seen: dict[str, str]) -> None:
    """``seen``: where each version runs in clusters."""
    for one in topology.machines:
        if not one.version:
            continue
        at = ("machines", one.name, "version")
        _check_version(at, one.version)
        if one.version in seen:
            cause = f"{one.version} is in {seen[one.version]} already: an answer tells by its "
            raise TopologyError(at, f"{cause}version whence", "give the machine one of its own")
        seen[one.version] = one.name


def _check_version(at: tuple[str, ...], version: str) -> None:
    if not _VERSION.fullmatch(version):
        cause = f"{version[:40]!r} is no name for a version"
        raise TopologyError(at, cause, "use lower-case letters, digits and hyphens, as in v1")
