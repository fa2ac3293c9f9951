"""The course of one mutant: looked at, switched, judged, healed; whatever goes wrong meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import LabError
from meshproof.model import Deployment
from meshproof.mutants import campaign, views
from meshproof.mutants.campaign import Course
from meshproof.mutants.catalogue import Mutant
from meshproof.mutants.judging import Bench
from meshproof.mutants.results import PLAIN, Outcome
from meshproof.report import Judged
from meshproof.run.session import Session
from tests.mutants.made import mutant, outcome_of

BENCH = Bench("0a1b2c3d", "primary-remote-flat", Path("tree"), "podman", "1.36.3")


class Played:
    """A mesh in memory that shows which mutant is on, and answers for its behaviours."""

    def __init__(self, shown: Sequence[Any], failing: Sequence[str] = ()) -> None:
        self.on: str | None = None
        self.done: list[str] = []
        self.shown = list(shown)
        """What is seen, one look after another."""
        self.failing = failing
        self.refuses: str | None = None

    def switch(self, _: object, name: str | None, *, renew: bool = False) -> None:
        self.done.append(f"switch {name}{' renewed' if renew else ''}")
        if name is not None and self.refuses:
            raise LabError(self.refuses)
        self.on = name

    def seen(self, *_: object) -> dict[str, Any]:
        return {"east": self.shown.pop(0)}

    def judge(self, _: Bench, behaviour: str | None, reports: Path) -> list[Judged]:
        self.done.append(f"judge {behaviour or 'all'} with {self.on}")
        names = [behaviour] if behaviour else [PLAIN, "lake/prints", "lake/other"]
        return [outcome_of(one, "FAIL" if one in self.failing else "PASS", "no") for one in names]


def course(played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    @contextmanager
    def held(*_: object) -> Iterator[object]:
        yield SimpleNamespace(mesh=None)

    @contextmanager
    def under(*_: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(campaign, "held", held)
    monkeypatch.setattr(campaign, "_under", under)
    monkeypatch.setattr(campaign, "switch", played.switch)
    monkeypatch.setattr(campaign, "named_in", lambda _: played.on)
    monkeypatch.setattr(campaign, "await_proxies", lambda _: None)
    monkeypatch.setattr(views, "steady", played.seen)
    nothing = cast(Session, None)
    return Course(nothing, cast(Deployment, None), BENCH, tmp_path, True, played.judge)


def run(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: Mutant | None = None
) -> Any:
    return course(played, tmp_path, monkeypatch).run(one or mutant())


def test_noticed_by_the_behaviour_that_must_and_healed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"], ["lake/prints"])
    found = run(played, tmp_path, monkeypatch)
    assert (found.outcome, found.plain, found.healed) == (Outcome.NOTICED, "PASS", True)
    assert played.done == [
        "switch no-print",
        "judge lake/prints with no-print",
        f"judge {PLAIN} with no-print",
        "switch None",
    ]
    kept = sorted(path.name for path in (tmp_path / "no-print").iterdir())
    assert kept == ["healed.json", "in-force.diff", "off.json", "on.json"]


def test_judged_by_all_when_that_one_stays_green(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"], ["lake/other"])
    found = run(played, tmp_path, monkeypatch)
    assert found.outcome is Outcome.ELSEWHERE
    assert played.done[1:-1] == ["judge lake/prints with no-print", "judge all with no-print"]


def test_judged_by_all_at_once_when_that_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"])
    found = run(played, tmp_path, monkeypatch, mutant(missing=True))
    assert found.outcome is Outcome.UNNOTICED
    assert played.done[1:-1] == ["judge all with no-print"]


def test_what_changes_nothing_is_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "off", "off"])
    found = run(played, tmp_path, monkeypatch)
    assert found.outcome is Outcome.NOT_IN_FORCE
    assert found.why == "the routes of sleep did not change"
    assert played.done == ["switch no-print", "switch None"]


def test_what_does_not_change_back_was_not_the_mutants_doing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run(Played(["off", "on", "on"], ["lake/prints"]), tmp_path, monkeypatch)
    assert (found.outcome, found.healed) == (Outcome.NOT_IN_FORCE, False)


def test_what_is_otherwise_afterwards_has_not_healed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run(Played(["off", "on", "odd"], ["lake/prints"]), tmp_path, monkeypatch)
    assert (found.outcome, found.healed) == (Outcome.NOTICED, False)


def test_what_cannot_be_switched_is_told_and_healed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "off"])
    played.refuses = "istiod does not come up"
    found = run(played, tmp_path, monkeypatch)
    assert (found.outcome, found.why) == (Outcome.BROKEN, "istiod does not come up")
    assert played.done[-1] == "switch None"


def test_one_that_an_earlier_run_left_on_is_switched_off_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"], ["lake/prints"])
    played.on = "another"
    run(played, tmp_path, monkeypatch)
    assert played.done[:2] == ["switch None", "switch no-print"]


def test_certificates_are_renewed_with_each_switch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"], ["lake/prints"])
    run(played, tmp_path, monkeypatch, mutant(renew=True))
    switched = [one for one in played.done if one.startswith("switch")]
    assert switched == ["switch no-print renewed", "switch None renewed"]
