"""Clusters, networks and versions as frozen data; what cannot exist raises when it is made."""

from meshproof.model.clusters import (
    FLAT,
    ISOLATED,
    Cluster,
    Flow,
    Footprint,
    Pair,
    Wiring,
    flat,
    isolated,
    wiring_named,
)
from meshproof.model.topology import Deployment, Member, Mtls, Role, Topology, TopologyError
from meshproof.model.versions import Version

__all__ = [
    "FLAT",
    "ISOLATED",
    "Cluster",
    "Deployment",
    "Flow",
    "Footprint",
    "Member",
    "Mtls",
    "Pair",
    "Role",
    "Topology",
    "TopologyError",
    "Version",
    "Wiring",
    "flat",
    "isolated",
    "wiring_named",
]
