"""What the command line may ask for: topologies by name and by file, and variants of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from meshproof.errors import UsageError
from meshproof.mesh.operator_config import MESH_NETWORKS
from meshproof.model import Topology
from meshproof.topologies import read_topology, topology_named, topology_names

BARE = "bare"
"""What the command line calls the tests on bare clusters, beside the topologies' names."""
_CLUSTERS = 2
VARIANTS = (MESH_NETWORKS, "revision", "unrelated-roots")
"""The variants of deployments that can be asked for."""


def chosen_topologies(names: Sequence[str], files: Sequence[Path]) -> tuple[Topology, ...]:
    """The topologies asked for by name and by file; all there are when none is.

    Raises UsageError for what there is not, or cannot be.
    """
    if not names and not files:
        return tuple(topology_named(name) for name in topology_names())
    named = [topology_named(name) for name in dict.fromkeys(names) if name != BARE]
    chosen = (*named, *(read_topology(path) for path in files))
    for topology in chosen:
        if len(topology.workloads) != _CLUSTERS:
            raise UsageError(
                f"topology {topology.name} has {len(topology.workloads)} clusters with workloads",
                f"the suites judge {_CLUSTERS}: one with v1 of helloworld, one with v2",
            )
    return chosen


def check_variants(variants: Sequence[str], topologies: Sequence[Topology]) -> None:
    """Raise UsageError for a variant that there is not, or that none of the topologies has."""
    for name in variants:
        if name not in VARIANTS:
            known = ", ".join(VARIANTS)
            raise UsageError(f"there is no variant '{name}'", f"choose one of {known}")
