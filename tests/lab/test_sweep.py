"""A sweep takes what dead owners left; what lives, was kept or is not ours it leaves alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from meshproof.engine import Container
from meshproof.engine.engine import RUN_LABEL
from meshproof.errors import LabError, UsageError
from meshproof.lab import sweep as sweeping
from meshproof.lab.ownership import Claim, Description, LabInUseError
from meshproof.lab.sweep import (
    State,
    find,
    find_all,
    sweep,
    take_down,
    to_be_swept,
    what_would_go,
)
from tests.lab.fakes import FakeEngine, network

LEFT, KEPT, USED, THEIRS = "11111111", "22222222", "33333333", "deadbeef"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MESHPROOF_STATE", str(tmp_path))
    return tmp_path


@contextmanager
def held(lab_id: str) -> Iterator[None]:
    """Another process holds a lab's lock inside the block."""
    code = (
        "from meshproof.lab.ownership import Claim; import sys\n"
        f"claim = Claim('{lab_id}'); claim.take(); print('held', flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        owner.communicate(b"")


def make(lab_id: str, *, kept: bool = False) -> Claim:
    claim = Claim(lab_id)
    claim.take()
    claim.write(Description(lab_id, "podman", 1.0, 1, "1.36.3", {}, {}, "image", kept=kept))
    claim.release()
    return claim


@pytest.fixture
def engine(state: Path) -> FakeEngine:
    """A leftover, a kept lab and one of another state folder, each with a container."""
    engine = FakeEngine()
    for lab_id in (LEFT, KEPT, USED, THEIRS):
        engine.there.append(Container(f"mp-{lab_id}-router", True, {RUN_LABEL: lab_id}))
        engine.nets.append(
            network(f"mp-{lab_id}-x", lab_id, "/another" if lab_id == THEIRS else state)
        )
    make(LEFT)
    make(KEPT, kept=True)
    return engine


def test_leftovers_go_and_all_else_stays(engine: FakeEngine) -> None:
    with held(USED):
        states = {found.claim.id: found.state for found in find_all(engine)}
        assert states == {LEFT: State.LEFTOVER, KEPT: State.KEPT, USED: State.IN_USE}
        before = engine.names()
        todo = to_be_swept(engine)
        assert [claim.id for claim in todo] == [LEFT]
        would = what_would_go(engine, todo[0])
        assert engine.names() == before
        removed = sweep(engine)
        assert list(removed) == [LEFT]
        assert removed[LEFT] == would == engine.removed()
        assert set(before) - set(engine.names()) == {f"mp-{LEFT}-router", f"mp-{LEFT}-x"}
        assert list(sweep(engine, also_kept=True)) == [KEPT]
    assert engine.names() == sorted(
        [f"mp-{one}-{what}" for one in (USED, THEIRS) for what in ("router", "x")]
    )


def test_a_lab_in_use_is_not_taken_down_and_that_is_said(engine: FakeEngine) -> None:
    with held(USED):
        before, claim = engine.names(), find(USED)
        for act in (take_down, what_would_go):
            with pytest.raises(LabInUseError, match="in use by another process"):
                act(engine, claim)
        assert engine.names() == before
        assert claim.folder.is_dir()
    assert f"container mp-{USED}-router" in take_down(engine, find(USED))
    with pytest.raises(UsageError, match="there is no lab"):
        find(USED)


@pytest.mark.parametrize("taken", [True, False])
def test_a_lab_that_was_taken_or_kept_since_it_was_looked_at_is_left_alone(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    claim = Claim(USED if taken else KEPT)
    monkeypatch.setattr(sweeping, "to_be_swept", lambda *_, **__: [claim])
    before = engine.names()
    with held(USED):
        assert sweep(engine) == {}
    assert engine.names() == before
    assert Claim(KEPT).is_free
    assert Claim(KEPT).has_folder


def test_one_that_resists_does_not_keep_the_others(engine: FakeEngine, state: Path) -> None:
    foreign = state / "labs" / "00000000"
    foreign.mkdir()
    (foreign / "letter").touch()
    (state / "labs" / "00000000.lock").touch()
    with pytest.raises(LabError, match="00000000 holds files and is not marked as a lab") as told:
        sweep(engine)
    assert LEFT in told.value.cause
    assert not Claim(LEFT).has_folder
    assert (foreign / "letter").exists()
    assert sweep(engine) == {}


def test_a_lab_is_removed_with_the_engine_that_made_it(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    podman, docker = FakeEngine(), FakeEngine()
    docker.name = "docker"
    podman.there = [Container(f"mp-{LEFT}-router", True, {RUN_LABEL: LEFT})]
    monkeypatch.setattr(sweeping, "choose_engine", lambda _, name: {"podman": podman}[name])
    claim = make(LEFT)
    assert f"container mp-{LEFT}-router" in what_would_go(docker, claim)
    assert list(sweep(docker)) == [LEFT]
    assert podman.names() == []


def test_a_lab_that_was_killed_before_it_was_described_is_swept(state: Path) -> None:
    Claim(LEFT).take()
    (state / "labs" / KEPT).mkdir()
    (state / "labs" / f"{USED}.lock").touch()
    assert sorted(sweep(FakeEngine())) == [LEFT, KEPT, USED]
    assert list((state / "labs").iterdir()) == []


def test_a_lab_whose_description_was_damaged_may_have_been_kept(state: Path) -> None:
    make(KEPT, kept=True)
    (state / "labs" / KEPT / "lab.json").write_text("")
    assert KEPT not in sweep(FakeEngine())
    assert (state / "labs" / KEPT).is_dir()
    assert KEPT in sweep(FakeEngine(), also_kept=True)
    assert not (state / "labs" / KEPT).exists()
