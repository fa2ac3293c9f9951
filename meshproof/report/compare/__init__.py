"""Two records side by side: what broke, what was mended, what became slower, what is new or gone.

The page for deciding on an upgrade. Behaviours are compared by their ids, deployments without the
versions in which they differ.
"""

from __future__ import annotations

from meshproof.report.compare.changes import Change, Comparison, Kind, Phase, compare

__all__ = ["Change", "Comparison", "Kind", "Phase", "compare"]
