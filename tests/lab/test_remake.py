"""A cluster is lost with its nodes, and made anew, wired as the lab is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.lab import KindLab, Lab


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def two_clusters(monkeypatch: pytest.MonkeyPatch, done: list[str]) -> Lab:
    """A lab of two clusters, of which it is noted what is done to them."""
    made: Any = object.__new__(KindLab)
    nodes = [SimpleNamespace(container="west-control-plane"), SimpleNamespace(container="west-a")]
    made.clusters = {"west": SimpleNamespace(nodes=nodes)}
    made.engine = SimpleNamespace(remove_containers=lambda names: done.append(f"no {names}"))
    east, west = SimpleNamespace(name="east"), SimpleNamespace(name="west")
    made.footprint = SimpleNamespace(clusters=[east, west])
    made.wiring = "its wiring"
    monkeypatch.setattr(
        KindLab, "_create_cluster", lambda _, spec: done.append(f"{spec.name} is made")
    )
    monkeypatch.setattr(KindLab, "rewire", lambda _, wiring: done.append(f"wired by {wiring}"))
    monkeypatch.setattr(KindLab, "await_dns", lambda _: done.append("names are answered"))
    found: Lab = made
    return found


def test_all_nodes_of_the_cluster_are_removed(two_clusters: Lab, done: list[str]) -> None:
    two_clusters.lose("west")
    assert done == ["no ['west-control-plane', 'west-a']"]


def test_it_is_wired_before_its_names_are_waited_for(two_clusters: Lab, done: list[str]) -> None:
    two_clusters.remake("west")
    assert done == ["west is made", "wired by its wiring", "names are answered"]
