"""Reads topology files, kind configurations, requests and the catalogue of known issues: a file in,
a model out, or one sentence with file, line and remedy."""

from meshproof.files.kind_config import (
    find_kind_config,
    read_cluster,
    read_clusters,
    read_footprint,
)
from meshproof.files.known_issues import read_known_issues
from meshproof.files.own_clusters import check_all_named, read_own_clusters
from meshproof.files.request_file import (
    hand_on,
    read_request,
    request_data,
    request_from,
    request_of,
    request_text,
)
from meshproof.files.topology_file import (
    BARE,
    BARE_NODES,
    BARES,
    read_topology,
    topology_named,
    topology_names,
)

__all__ = [
    "BARE",
    "BARES",
    "BARE_NODES",
    "check_all_named",
    "find_kind_config",
    "hand_on",
    "read_cluster",
    "read_clusters",
    "read_footprint",
    "read_known_issues",
    "read_own_clusters",
    "read_request",
    "read_topology",
    "request_data",
    "request_from",
    "request_of",
    "request_text",
    "topology_named",
    "topology_names",
]
