"""Makes sure that what a claim needed is gone from the proxies again."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.traffic.settle import await_drained, converge
from meshproof.workloads.sample import Sample


def await_healed(sample: Sample, healed: Callable[[], bool], what: str) -> None:
    """Wait until the mesh is as it was, and no connection from before is left; a mesh that does
    not get there, or cannot be looked at, is used by nobody else."""
    if not converge(healed, what=what):
        sample.mesh.mark_dirty(f"{what} did not come about")
        return
    if not await_drained(sample):
        sample.mesh.mark_dirty(f"after {what} connections from before were not closed")
