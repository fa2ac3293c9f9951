"""What a bench gives: one thing, measured several times."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured several times. ``unit``: "s", "ms", "MiB", "%" or, of what
    is counted, "n"."""

    what: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.values)
