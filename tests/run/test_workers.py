"""How many workers: by cores, by memory, and one where only one makes sense."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from meshproof.errors import UsageError
from meshproof.files import topology_named
from meshproof.model import RunRequest
from meshproof.run.selection import Selection
from meshproof.run.workers import chosen_workers, labs_at_once, labs_here, one_lab_option
from meshproof.runner import workers
from meshproof.runner.stash import SELECTION

GIB = 2**30


@pytest.mark.parametrize(
    ("cpus", "memory", "clusters", "labs"),
    [
        (1, 64, 2, 1),
        (2, 64, 2, 2),
        (16, 64, 2, 16),
        (16, 7, 2, 3),
        (16, 4, 2, 1),
        (16, 7, 3, 2),
        (1, 1, 2, 1),
    ],
)
def test_as_many_labs_as_cores_and_memory_allow(
    cpus: int, memory: int, clusters: int, labs: int
) -> None:
    assert labs_at_once(cpus, memory * GIB, clusters) == labs


@pytest.mark.parametrize(("topologies", "labs"), [(0, 1), (1, 1), (2, 2), (7, 4)])
def test_a_topology_has_one_lab_at_most(
    monkeypatch: pytest.MonkeyPatch, topologies: int, labs: int
) -> None:
    monkeypatch.setattr("meshproof.run.workers.os.sched_getaffinity", lambda pid: range(4))
    monkeypatch.setattr(
        "meshproof.run.workers.psutil.virtual_memory", lambda: SimpleNamespace(available=64 * GIB)
    )
    chosen = [topology_named("primary-remote-flat")] * topologies
    assert labs_here(chosen) == labs


def test_a_number_is_taken_as_it_is() -> None:
    assert chosen_workers(RunRequest(workers="3"), ()) == 3


def test_one_lab_needs_one_worker() -> None:
    for text in ("auto", "1"):
        assert chosen_workers(RunRequest(keep=True, workers=text), ()) == 1
    with pytest.raises(UsageError, match="--reuse is about one lab, and each of 2 workers"):
        chosen_workers(RunRequest(reuse="0a1b2c3d", workers="2"), ())


def test_one_test_needs_one_worker() -> None:
    for text in ("auto", "2"):
        assert chosen_workers(RunRequest(only="a test", workers=text), ()) == 1


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", ""])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="give a number from 1, or auto"):
        chosen_workers(RunRequest(workers=text), ())


def test_the_option_that_is_about_one_lab_is_named() -> None:
    assert one_lab_option(RunRequest(keep=True, reuse="0a1b2c3d")) == "--keep"
    assert one_lab_option(RunRequest(reuse="0a1b2c3d")) == "--reuse"
    assert one_lab_option(RunRequest()) is None


@pytest.mark.parametrize(
    ("room", "keep", "count"), [(4, False, 4), (1, False, 0), (4, True, 0)], ids=str
)
def test_n_auto_is_what_there_is_room_for_and_no_worker_rather_than_one(
    monkeypatch: pytest.MonkeyPatch, room: int, keep: bool, count: int
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_AUTO_NUM_WORKERS", raising=False)
    monkeypatch.setattr(workers, "labs_here", lambda topologies: room)
    stash = {SELECTION: Selection(RunRequest(keep=keep))}
    config = cast(pytest.Config, SimpleNamespace(stash=stash))
    assert workers.pytest_xdist_auto_num_workers(config) == count
