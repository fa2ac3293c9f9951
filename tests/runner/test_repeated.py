"""`meshproof repro` asks for the deployment that a test ran on, and for no other."""

from __future__ import annotations

import pytest

from meshproof.files import topology_names
from meshproof.model import RunRequest, Version
from meshproof.run.repro import _request
from meshproof.run.selection import Selection
from meshproof.runner.matrix import Matrix
from meshproof.runner.recording import _described

KUBERNETES = Version(1, 36, 3)
MIXED = "east=1.31.0,west=1.31.1"
WAYS = [
    {"strategy": strategy, "rollback": rollback, "revision": revision}
    for strategy in ("in-place", "canary")
    for rollback in (False, True)
    for revision in (None, "blue")
    if revision is None or strategy == "in-place"
]


def matrix(request: RunRequest) -> Matrix:
    return Matrix.of(Selection(request), KUBERNETES)


def repeated(asked: RunRequest) -> int:
    """Ask for each deployment of a request again; returns how many there are."""
    found = matrix(asked).deployments
    for one in found:
        again = _request(
            RunRequest() if not asked.upgrade_to else asked, _described(one, KUBERNETES), None
        )
        assert list(map(str, matrix(again).deployments)) == [str(one)]
        assert matrix(again).deployments == (one,)
    return len(found)


@pytest.mark.parametrize("name", topology_names())
def test_every_deployment_of_every_topology_can_be_asked_for_again(name: str) -> None:
    assert repeated(RunRequest(topology=(name,), profile="all", istio=("1.31.0", "1.31.1"))) > 4


def test_clusters_of_different_versions_and_a_revision_of_ones_own() -> None:
    for revision in (None, "blue"):
        asked = RunRequest(
            topology=("multi-primary-flat",), istio=(MIXED,), profile="all", revision=revision
        )
        assert repeated(asked) > 4


@pytest.mark.parametrize("way", WAYS)
def test_a_way_from_one_istio_to_the_next(way: dict[str, object]) -> None:
    asked = RunRequest(
        topology=("primary-remote-split-horizon", "multi-primary-split-horizon"),
        istio=("1.31.0",),
        upgrade_to="1.31.1",
        profile="all",
        **way,  # type: ignore[arg-type]
    )
    assert repeated(asked) > 1
