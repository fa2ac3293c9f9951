"""What a run's labs and meshes are to be, as fields for its record: what views draw them from."""

from __future__ import annotations

from itertools import permutations

from meshproof.events import Data
from meshproof.model import (
    Cluster,
    Deployment,
    Footprint,
    Member,
    Topology,
    Wiring,
    machine_fields,
    member_fields,
)


def described_topology(deployment: Deployment) -> Data:
    """The clusters and machines of a deployment with their parts in the mesh, and what may pass."""
    topology = deployment.topology
    footprint = topology.footprint(deployment.kubernetes)
    return {
        "clusters": [_member(topology, one) for one in topology.members],
        "passes": _passes(footprint, topology.wiring(footprint)),
        **({"machines": list(map(machine_fields, topology.machines))} if topology.machines else {}),
    }


def described_wiring(footprint: Footprint, wiring: Wiring) -> Data:
    """The clusters of a lab without a mesh, and what may pass."""
    clusters = [{"name": one.name, **_ranges(one)} for one in footprint.clusters]
    return {"clusters": clusters, "passes": _passes(footprint, wiring)}


def _member(topology: Topology, one: Member) -> Data:
    return {
        **member_fields(topology, one),
        **_ranges(one.cluster),
        "trust_domain": one.mesh.trust_domain,
        "root": one.mesh.root,
    }


def _ranges(cluster: Cluster) -> Data:
    return {"pods": str(cluster.pods), "services": str(cluster.services), "nodes": cluster.nodes}


def _passes(footprint: Footprint, wiring: Wiring) -> list[Data]:
    return [
        {
            "caller": caller,
            "called": called,
            "flows": sorted(flow.value for flow in wiring.between(caller, called)),
        }
        for caller, called in permutations(footprint.names, 2)
    ]
