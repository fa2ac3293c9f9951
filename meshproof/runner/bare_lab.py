"""What tests run on: a deployment, or clusters without a mesh, as their marker says it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import pytest

from meshproof.files import BARE, BARES
from meshproof.model import Deployment, Pair


@dataclass(frozen=True, slots=True)
class BareLab:
    """Clusters without a mesh, as ``read_footprint`` takes them, and the name of a wiring.

    ``name``: what the command line asks for them by, one of ``BARES``.
    """

    clusters: str
    wiring: str
    name: str = BARE

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
        if self.name != BARE:
            return f"{self.name}+{self.wiring}"
        kinds = {word.partition("=")[2] for word in self.clusters.split(",")} - {""}
        shape = f"{'+'.join(sorted(kinds))}-cidrs" if kinds else "disjoint-cidrs"
        return f"{shape}+{self.wiring}"


def bare_labs(mark: pytest.Mark) -> list[BareLab]:
    """What a marker ``bare_lab(clusters, *wirings, name="bare")`` says: one for each wiring.

    Raises pytest.UsageError for a name that there is not.
    """
    clusters, *wirings = mark.args
    name = mark.kwargs.get("name", BARE)
    if name not in BARES:
        raise pytest.UsageError(
            f"there are no bare labs called {name!r}: name one of {', '.join(BARES)}"
        )
    return [BareLab(clusters, wiring, name) for wiring in wirings]


def runs_on(item: pytest.Item) -> BareLab | Deployment | None:
    """What a test runs on; None for tests that are none of ours."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    found = params.get("lab", params.get("sample"))
    return found if isinstance(found, BareLab | Deployment) else None
