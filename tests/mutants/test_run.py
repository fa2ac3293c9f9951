"""A whole run: shape by shape, written down after each mutant, whatever becomes of a lab."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import LabError, UsageError
from meshproof.model import Version
from meshproof.mutants import run as running
from meshproof.mutants.campaign import LabLostError
from meshproof.mutants.catalogue import Mutant
from meshproof.mutants.control import Control
from meshproof.mutants.program import Mutated
from meshproof.mutants.results import Outcome, Result, digest_of, read
from meshproof.mutants.run import RESULTS, Run, held_by
from meshproof.run.session import Session
from tests.mutants.made import mutant, outcome_of

FLAT = [mutant("a"), mutant("b")]
SPLIT = [mutant("c", topology="split")]
_TAKES = 100.0


class Labs:
    """Labs in memory. ``losing``: of each mutant, how often it leaves its lab unusable."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, losing: dict[str, int]) -> None:
        self.done: list[str] = []
        self.losing = losing
        self.failing: dict[str, BaseException] = {}
        self.now = 1000.0
        """The clock's time, which passes for mutants alone."""
        monkeypatch.setattr(running, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(Run, "_course", self.course)
        monkeypatch.setattr(running, "take_away", lambda _, lab: self.done.append(f"remove {lab}"))

    def course(self, _: object, name: str, *, thorough: bool) -> Any:
        if name in self.failing:
            raise self.failing[name]
        self.done.append(f"make {name}")
        return SimpleNamespace(
            bench=SimpleNamespace(lab=name),
            control=Control((outcome_of("lake/prints"), outcome_of("lake/other", "FAIL", "odd"))),
            begin=self.begin,
            run=self.run,
        )

    def begin(self, mutants: Sequence[Mutant]) -> None:
        self.done.append(f"control of {' '.join(one.id for one in mutants)}")

    def run(self, one: Mutant) -> Result:
        if self.losing.get(one.id, 0):
            self.losing[one.id] -= 1
            raise LabLostError("gone")
        if one.id in self.failing:
            raise self.failing[one.id]
        self.done.append(one.id)
        self.now += _TAKES
        return Result(id=one.id, outcome=Outcome.NOTICED, digest=digest_of(one), seconds=_TAKES)


def went(
    folder: Path,
    mutants: Sequence[Mutant],
    *,
    keep: bool = False,
    unfit: str = "",
    until: float | None = None,
) -> tuple[Run, list[str]]:
    told: list[str] = []
    recorder = SimpleNamespace(emit=lambda _, text: told.append(text))
    why = {unfit: "not there"} if unfit else {}
    mutated = Mutated(folder / "pilot-discovery", Version(1, 31, 1), tuple(mutants), why)
    run = Run(mutated, folder, until=until)
    run.all(cast(Session, SimpleNamespace(recorder=recorder)), mutants, thorough=True, keep=keep)
    return run, told


def test_each_shape_has_a_lab_and_a_control(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs = Labs(monkeypatch, {})
    _, told = went(tmp_path, [*FLAT, *SPLIT])
    flat, split = "primary-remote-flat", "primary-remote-split-horizon"
    assert labs.done == [
        *(f"make {flat}", "control of a b", "a", "b", f"remove {flat}"),
        *(f"make {split}", "control of c", "c", f"remove {split}"),
    ]
    assert told[0] == f"1 of 2 on {flat}: a noticed rightly"
    campaign = read(tmp_path / RESULTS)
    assert [one.id for one in campaign.results] == ["a", "b", "c"]
    assert [one.held for one in campaign.controls] == [("lake/prints",), ("lake/prints",)]


def test_labs_stay_where_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labs = Labs(monkeypatch, {})
    went(tmp_path, FLAT, keep=True)
    assert not any(one.startswith("remove") for one in labs.done)


def test_a_mutant_that_leaves_its_lab_unusable_is_tried_on_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs = Labs(monkeypatch, {"a": 1})
    run, _ = went(tmp_path, FLAT)
    assert [one.split()[0] for one in labs.done] == (
        ["make", "control", "remove", "make", "control", "a", "b", "remove"]
    )
    assert run.results["a"].outcome is Outcome.NOTICED


def test_one_that_does_so_twice_is_left_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs = Labs(monkeypatch, {"a": 2})
    run, _ = went(tmp_path, FLAT)
    assert (run.results["a"].outcome, run.results["a"].why) == (Outcome.UNDECIDED, "gone")
    assert labs.done[-4:] == [
        "make primary-remote-flat",
        "control of b",
        "b",
        "remove primary-remote-flat",
    ]


def test_a_shape_without_a_lab_does_not_keep_the_other_from_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs = Labs(monkeypatch, {})
    labs.failing["primary-remote-flat"] = LabError("no room")
    run, told = went(tmp_path, [*FLAT, *SPLIT])
    assert list(run.results) == ["c"]
    assert told[0] == "primary-remote-flat: its mutants could not be gone through: no room."


def test_a_run_that_is_ended_has_told_what_it_knew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs = Labs(monkeypatch, {})
    labs.failing["b"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        went(tmp_path, [*FLAT, *SPLIT])
    assert labs.done[-1] == "remove primary-remote-flat"
    assert [one.id for one in read(tmp_path / RESULTS).results] == ["a"]


@pytest.mark.parametrize(
    ("minutes", "done"),
    [
        (60, ["a", "b", "c"]),
        # As long as nothing is known a mutant takes two minutes and a half, and a lab four.
        (6, []),
        (7, ["a", "b"]),
        (1, []),
    ],
)
def test_no_mutant_is_begun_that_would_not_be_done_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: int, done: list[str]
) -> None:
    labs = Labs(monkeypatch, {})
    run, told = went(tmp_path, [*FLAT, *SPLIT], until=labs.now + 60 * minutes)
    assert list(run.results) == done
    made = [one for one in labs.done if one.startswith("make")]
    assert len(made) == sum(one.startswith("remove") for one in labs.done)
    left = f"{3 - len(done)} mutants are left: go on with --resume {tmp_path}"
    assert (left in told) is (len(done) < 3)


def test_the_control_is_made_for_ten_mutants_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs = Labs(monkeypatch, {})
    many = [mutant(f"m{number}") for number in range(12)]
    went(tmp_path, many)
    controls = [one for one in labs.done if one.startswith("control")]
    assert [len(one.split()) - 2 for one in controls] == [10, 2]
    assert labs.done.index(controls[1]) == labs.done.index("m9") + 1


def test_a_run_goes_on_where_another_one_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs = Labs(monkeypatch, {})
    labs.failing["b"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        went(tmp_path, FLAT)
    earlier = read(tmp_path / RESULTS)
    mutated = Mutated(tmp_path / "pilot-discovery", Version(1, 31, 1), tuple(FLAT), {})
    monkeypatch.setattr(running, "program_for", lambda *_: mutated)
    run = Run.prepared(cast(Session, None), tmp_path / "later", earlier)
    assert (list(run.results), run.controls) == (["a"], earlier.controls)
    assert read(tmp_path / "later" / RESULTS) == earlier
    other = earlier.model_copy(update={"istio": "1.30.0"})
    with pytest.raises(UsageError, match=r"is of Istio 1\.30\.0, this one of 1\.31\.1"):
        Run.prepared(cast(Session, None), tmp_path / "other", other)


def test_what_the_istio_does_not_have_is_told_without_a_lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs = Labs(monkeypatch, {})
    run, _ = went(tmp_path, SPLIT, unfit="c")
    assert (run.results["c"].outcome, labs.done) == (Outcome.UNFIT, [])


def test_the_results_tell_of_the_control() -> None:
    control = Control((outcome_of("lake/prints"), outcome_of("lake/other", "FAIL", "odd")))
    held = held_by(control, "primary-remote-flat", 12.34)
    assert (held.held, held.seconds) == (("lake/prints",), 12.3)
    assert [one.behaviour for one in held.not_held] == ["lake/other"]
