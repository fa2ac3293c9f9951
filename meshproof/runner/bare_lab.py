"""What tests run on: a deployment, or clusters without a mesh, as their marker says it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import pytest

from meshproof.model import Deployment, Pair


@dataclass(frozen=True, slots=True)
class BareLab:
    """Clusters without a mesh, as ``read_footprint`` takes them, and the name of a wiring."""

    clusters: str
    wiring: str

    @property
    def kind_configs(self) -> dict[str, str]:
        """The kind configuration of each cluster: by default that of the cluster's own name."""
        words = [word.partition("=") for word in self.clusters.split(",")]
        return {name: given or name for name, _, given in words}

    @property
    def pairs(self) -> list[Pair]:
        """All ordered pairs of its clusters."""
        return list(permutations(self.kind_configs, 2))

    def __str__(self) -> str:
        kinds = {word.partition("=")[2] for word in self.clusters.split(",")} - {""}
        shape = f"{'+'.join(sorted(kinds))}-cidrs" if kinds else "disjoint-cidrs"
        return f"{shape}+{self.wiring}"


def runs_on(item: pytest.Item) -> BareLab | Deployment | None:
    """What a test runs on; None for tests that are none of ours."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    found = params.get("lab", params.get("sample"))
    return found if isinstance(found, BareLab | Deployment) else None
