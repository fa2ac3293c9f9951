"""The lab of the moment: one attempt at each bring-up, and its cause for whoever needs it."""

from __future__ import annotations

import pytest

from meshproof.errors import LabError, MeshproofError
from meshproof.files import read_footprint, topology_named
from meshproof.lab import Lab
from meshproof.model import Deployment, Footprint, Version, Wiring, isolated
from meshproof.run.labs import Labs
from meshproof.run.session import Choices, Session

KUBERNETES = Version(1, 36, 3)


class BrokenLabs(Labs):
    """Labs of which none comes up."""

    def __init__(self, error: Exception) -> None:
        super().__init__(Session(Choices(reports=None), []), reuse=None)
        self.error = error
        self.attempts = 0

    def _bring_up(self, footprint: Footprint, wiring: Wiring) -> Lab:
        self.attempts += 1
        raise self.error


def footprint(clusters: str = "east,west") -> Footprint:
    return read_footprint(clusters, KUBERNETES)


def deployment(name: str = "primary-remote-split-horizon") -> Deployment:
    topology = topology_named(name)
    return Deployment(topology, dict.fromkeys(topology.names, Version(1, 31, 1)), KUBERNETES)


def test_a_failed_bring_up_is_tried_once_and_its_cause_repeated() -> None:
    labs = BrokenLabs(LabError("cluster west did not become ready"))
    for _ in range(3):
        with pytest.raises(LabError, match="cluster west did not become ready"):
            labs.bare(footprint(), isolated())
    assert labs.attempts == 1


def test_deployments_on_the_same_clusters_share_the_cause() -> None:
    labs = BrokenLabs(LabError("no room"))
    for name in ("primary-remote-flat", "primary-remote-split-horizon"):
        with pytest.raises(LabError, match="no room"):
            labs.sample(deployment(name))
    assert labs.attempts == 1


def test_other_clusters_get_an_attempt_of_their_own() -> None:
    labs = BrokenLabs(LabError("no room"))
    for clusters in ("east,west", "east=same,west=same"):
        with pytest.raises(LabError):
            labs.bare(footprint(clusters), isolated())
    assert labs.attempts == 2


def test_what_nobody_foresaw_is_remembered_as_well() -> None:
    labs = BrokenLabs(KeyError("status"))
    for _ in range(2):
        with pytest.raises(MeshproofError, match="KeyError"):
            labs.bare(footprint(), isolated())
    assert labs.attempts == 1


def test_without_a_lab_nothing_is_lost() -> None:
    assert BrokenLabs(LabError("x")).lost() is None
