"""From where and to where a test runs, on topologies of several shapes."""

from __future__ import annotations

import pytest

from meshproof.files import topology_named
from meshproof.model import Upgrade, Version, upgrade
from meshproof.runner.axes import axis_of


def ids(fixtures: list[str], topology: str, networks: int | None = None) -> list[str]:
    """The parts of test ids that a test with these fixtures has on a topology."""
    axis = axis_of(fixtures)
    assert axis is not None
    return [axis.id(value) for value in axis.on(topology_named(topology), networks)]


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        (1, ["from-east-to-v2", "from-north-to-v1"]),
        (2, ["from-east-to-v3", "from-north-to-v3", "from-west-to-v1", "from-west-to-v2"]),
    ],
)
def test_a_caller_and_a_target_are_in_two_clusters(networks: int, expected: list[str]) -> None:
    assert ids(["sample", "caller", "target"], "mixed-networks", networks) == expected
    both = ids(["sample", "caller", "target"], "mixed-networks")
    assert len(both) == 6 and set(expected) < set(both)


def test_pairs_take_in_clusters_without_workloads() -> None:
    pairs = ids(["sample", "pair"], "external-control-plane")
    assert "control-to-east" in pairs and "west-to-control" in pairs and len(pairs) == 6
    assert ids(["sample", "caller"], "external-control-plane") == ["from-east", "from-west"]


def test_homes_are_the_clusters_that_have_a_version() -> None:
    assert ids(["sample", "home"], "zones") == ["in-east", "in-west"]


def test_machines_are_those_outside_kubernetes() -> None:
    assert ids(["sample", "machine"], "vm-expansion") == ["on-shop", "on-till", "on-depot"]
    assert ids(["sample", "machine"], "zones") == []


def test_who_calls_are_clusters_and_machines() -> None:
    found = ["from-east", "from-west", "from-shop", "from-till", "from-depot"]
    assert ids(["sample", "calling"], "vm-expansion") == found
    assert ids(["sample", "calling"], "zones") == ["from-east", "from-west"]


def test_a_step_is_one_of_an_upgrade() -> None:
    axis = axis_of(["sample", "step"])
    assert axis is not None
    topology = topology_named("multi-primary-flat")
    course = Upgrade(Version(1, 31, 1))
    stages = upgrade.course(topology, Version(1, 31, 0), course)
    found = [axis.id(value) for value in axis.on(topology, None, stages)]
    assert found == [f"step-{number}" for number in range(len(stages))]
    assert axis.on(topology, None) == []


def test_a_test_without_an_axis_runs_once() -> None:
    assert axis_of(["sample", "judge"]) is None
    assert axis_of(["sample", "target"]) is None
