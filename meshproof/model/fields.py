"""The clusters and machines of a topology as plain values: what programs are told of them, and
records keep."""

from __future__ import annotations

from meshproof.model.machine import Machine
from meshproof.model.member import Member, Role
from meshproof.model.topology import Topology


def member_fields(topology: Topology, member: Member) -> dict[str, object]:
    """What a cluster is in its topology, and has: as JSON takes it. ``reads``: the clusters that
    its istiod reads; ``versions``: how many replicas of each version of helloworld it has;
    ``manages``: of a host, the clusters that it manages."""
    gateway = member.gateway
    return {
        "name": member.name,
        "role": member.role.value,
        "network": member.network,
        "primary": member.primary,
        "mesh": member.mesh.name,
        "gateway": gateway and {"port": gateway.port, "hostname": gateway.hostname},
        "reads": list(clusters_read(topology, member)),
        "versions": {
            one.version: one.replicas for one in topology.placements if one.cluster == member.name
        },
        **({"manages": list(topology.managed)} if member.role is Role.HOST else {}),
    }


def machine_fields(machine: Machine) -> dict[str, object]:
    """What a machine is in its topology, and has: as JSON takes it."""
    return {
        "name": machine.name,
        "network": machine.network,
        "primary": machine.primary,
        "version": machine.version,
        "region": machine.region,
        "zone": machine.zone,
    }


def clusters_read(topology: Topology, member: Member) -> tuple[str, ...]:
    """The clusters that a cluster's istiod reads by a remote secret; none where it has none."""
    return topology.reads(member.name) if member in topology.control_planes else ()
