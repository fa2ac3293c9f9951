"""What tests of clusters without a mesh run on, as their marker says it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

from meshproof.model import Pair


@dataclass(frozen=True, slots=True)
class BareLab:
    """Clusters without a mesh, as ``read_footprint`` takes them, and the name of a wiring."""

    clusters: str
    wiring: str

    @property
    def pairs(self) -> list[Pair]:
        """All ordered pairs of its clusters."""
        names = [word.partition("=")[0] for word in self.clusters.split(",")]
        return list(permutations(names, 2))

    def __str__(self) -> str:
        kinds = {word.partition("=")[2] for word in self.clusters.split(",")} - {""}
        shape = f"{'+'.join(sorted(kinds))}-cidrs" if kinds else "disjoint-cidrs"
        return f"{shape}+{self.wiring}"
