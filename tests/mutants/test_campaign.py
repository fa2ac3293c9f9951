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
from meshproof.mutants.campaign import Course, LabLostError
from meshproof.mutants.catalogue import Mutant
from meshproof.mutants.control import Control
from meshproof.mutants.istiods import State, command_of
from meshproof.mutants.judging import Bench
from meshproof.mutants.results import PLAIN, Outcome, digest_of
from meshproof.report import Judged
from meshproof.run.session import Session
from tests.mutants.made import mutant, outcome_of

BENCH = Bench("0a1b2c3d", "primary-remote-flat", None, "podman", "1.36.3")
PROGRAM = Path("/store/objects/0123456789abcdef0123/pilot-discovery")
SEEN = "observed nothing from east"
NAMES = (PLAIN, "lake/prints", "lake/other")


class Played:
    """A mesh in memory that shows which mutant is on, and answers for its behaviours."""

    def __init__(self, shown: Sequence[Any], failing: Sequence[str] = ()) -> None:
        self.on: str | None = None
        self.planted = True
        self.done: list[str] = []
        self.shown = list(shown)
        """What is seen, one look after another."""
        self.failing = failing
        self.refuses: BaseException | None = None
        self.damaging: Sequence[str] = ()
        """Behaviours that damage the mesh, so that it is made anew."""
        self.interrupting: BaseException | None = None

    def switch(self, _: object, program: Path, name: str | None, *, renew: bool = False) -> None:
        assert program == PROGRAM
        self.done.append(f"switch {name}{' renewed' if renew else ''}")
        if name is not None and self.refuses:
            raise self.refuses
        self.on, self.planted = name, True

    def states(self, _: object) -> list[State]:
        return [State(command_of(PROGRAM), self.on) if self.planted else State()]

    def seen(self, *_: object) -> dict[str, Any]:
        return {"east": self.shown.pop(0)}

    def judge(self, _: Bench, behaviours: Sequence[str] | None, reports: Path) -> list[Judged]:
        names = NAMES if behaviours is None else behaviours
        told = "all" if behaviours is None else " and ".join(behaviours)
        self.done.append(f"judge {told} with {self.on}")
        if self.interrupting is not None:
            raise self.interrupting
        bad = self.failing if self.on else ()
        if self.on and any(one in self.damaging for one in names):
            self.on, self.planted = None, False
        return [outcome_of(one, "FAIL" if one in bad else "PASS", SEEN) for one in names]

    def mark_dirty(self, why: str) -> None:
        self.done.append(f"anew since {why}")
        self.on, self.planted = None, False

    @property
    def mesh(self) -> Any:
        topology = SimpleNamespace(control_planes=["east"])
        return SimpleNamespace(
            deployment=SimpleNamespace(topology=topology), mark_dirty=self.mark_dirty
        )


def course(played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    @contextmanager
    def held(*_: object) -> Iterator[object]:
        yield played

    @contextmanager
    def under(*_: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(campaign, "held", held)
    monkeypatch.setattr(campaign, "_under", under)
    monkeypatch.setattr(campaign, "switch", played.switch)
    monkeypatch.setattr(campaign, "states", played.states)
    monkeypatch.setattr(campaign, "await_proxies", lambda _: None)
    monkeypatch.setattr(views, "steady", played.seen)
    control = Control(tuple(map(outcome_of, NAMES)), of_all=True)
    nothing, deployment = cast(Session, None), cast(Deployment, None)
    return Course(
        nothing, deployment, BENCH, PROGRAM, tmp_path, control=control, judging=played.judge
    )


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
    assert (found.anew, found.digest) == (False, digest_of(mutant()))
    assert played.done == [
        "switch no-print",
        f"judge lake/prints and {PLAIN} with no-print",
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
    assert played.done[1:-1] == [
        f"judge lake/prints and {PLAIN} with no-print",
        "judge all with no-print",
    ]


def test_plain_distribution_that_fails_with_it_has_noticed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"], [PLAIN])
    found = run(played, tmp_path, monkeypatch)
    assert (found.outcome, found.plain) == (Outcome.ELSEWHERE, "FAIL")
    assert "judge all with no-print" not in played.done


def test_all_are_judged_without_it_too_before_they_can_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"] * 2, ["lake/other"])
    one = course(played, tmp_path, monkeypatch)
    one.control = Control(tuple(map(outcome_of, (PLAIN, "lake/prints", "lake/extended"))))
    found = one.run(mutant())
    assert (found.outcome, found.evidence) == (Outcome.ELSEWHERE, "no-print-2")
    assert played.done == [
        "switch no-print",
        f"judge lake/prints and {PLAIN} with no-print",
        "switch None",
        "judge all with None",
        "switch no-print",
        f"judge lake/prints and {PLAIN} with no-print",
        "judge all with no-print",
        "switch None",
    ]
    assert one.control.of_all
    assert set(one.control.behaviours) == {*NAMES, "lake/extended"}


def test_what_all_say_without_it_may_not_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"])
    judge, one = played.judge, course(played, tmp_path, monkeypatch)

    def some_alone(bench: Bench, behaviours: Sequence[str] | None, reports: Path) -> list[Judged]:
        if behaviours is None:
            raise LabError("all behaviours could not be judged")
        return judge(bench, behaviours, reports)

    one.judging = some_alone
    one.control = Control((outcome_of("lake/prints"), outcome_of(PLAIN)))
    found = one.run(mutant())
    assert (found.outcome, found.why) == (Outcome.UNNOTICED, "all behaviours could not be judged")
    assert (found.healed, found.anew) == (True, False)


@pytest.mark.parametrize(
    ("others", "explained"), [(False, ""), (True, "Nobody needs what is printed.")]
)
def test_where_nobody_else_is_to_be_asked_others_do_not_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: bool, explained: str
) -> None:
    played = Played(["off", "on", "off"])
    one = course(played, tmp_path, monkeypatch)
    one.others = others
    found = one.run(mutant(explained=explained))
    assert (found.outcome, found.why) == (Outcome.UNNOTICED, "other behaviours were not judged")
    assert "judge all with no-print" not in played.done


def test_where_it_is_to_be_alone_nobody_else_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"])
    one = course(played, tmp_path, monkeypatch)
    one.thorough = one.others = False
    assert one.run(mutant()).outcome is Outcome.UNNOTICED
    assert played.done[1:-1] == ["judge lake/prints with no-print"]
    lacking = one.run(mutant("b", missing=True))
    assert (lacking.outcome, len(played.done)) == (Outcome.UNDECIDED, 3)


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
    played = Played(["off", "on", "on"], ["lake/prints"])
    found = run(played, tmp_path, monkeypatch)
    assert (found.outcome, found.healed, found.anew) == (Outcome.NOT_IN_FORCE, False, True)


def test_what_is_otherwise_afterwards_has_not_healed_and_the_mesh_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "odd"], ["lake/prints"])
    found = run(played, tmp_path, monkeypatch)
    assert (found.outcome, found.healed, found.anew) == (Outcome.NOTICED, False, True)
    assert played.done[-3:] == [
        "anew since no-print did not heal",
        "switch None",
        f"judge {PLAIN} with None",
    ]


def test_a_lab_on_which_no_mesh_serves_any_more_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "odd"], ["lake/prints"])
    judge, one = played.judge, course(played, tmp_path, monkeypatch)

    def broken(bench: Bench, behaviours: Sequence[str] | None, reports: Path) -> list[Judged]:
        if played.on is None:
            return [outcome_of(PLAIN, "FAIL", SEEN)]
        return judge(bench, behaviours, reports)

    one.judging = broken
    with pytest.raises(LabLostError, match="the mesh that was made anew does not serve"):
        one.run(mutant())


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (LabError("istiod does not come up"), "istiod does not come up"),
        (KeyError("west"), "KeyError: 'west'"),
    ],
)
def test_what_cannot_be_switched_is_told_and_the_mesh_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, why: str
) -> None:
    played = Played(["off"])
    played.refuses = error
    found = run(played, tmp_path, monkeypatch)
    assert (found.outcome, found.why, found.anew) == (Outcome.BROKEN, why, True)
    assert played.done[1:3] == ["anew since no-print could not be switched", "switch None"]


def test_what_nobody_can_judge_is_undecided_and_healed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"])
    played.interrupting = LabError("lake/prints could not be judged")
    found = run(played, tmp_path, monkeypatch)
    assert (found.outcome, found.healed) == (Outcome.UNDECIDED, True)
    assert found.why == "lake/prints could not be judged"
    assert played.done[-1] == "switch None"


def test_whoever_ends_the_run_gets_the_mutant_switched_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on"])
    played.interrupting = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(played, tmp_path, monkeypatch)
    assert played.done[-1] == "switch None"


def test_a_behaviour_that_did_not_hold_without_it_cannot_notice_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played([], ["lake/prints"])
    one = course(played, tmp_path, monkeypatch)
    one.control = Control((outcome_of("lake/prints", "FAIL", SEEN),))
    found = one.run(mutant())
    assert (found.outcome, played.done) == (Outcome.UNDECIDED, [])
    assert found.why == f"lake/prints was FAIL with no mutant on: {SEEN}"


def test_green_on_a_mesh_that_was_made_anew_meanwhile_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"])
    played.damaging = ["lake/prints"]
    found = run(played, tmp_path, monkeypatch)
    assert (found.outcome, found.healed, found.anew) == (Outcome.UNDECIDED, True, True)
    assert found.why == "lake/prints had the mesh made anew meanwhile"


def test_a_failure_before_the_mesh_was_made_anew_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "other addresses"], ["lake/prints"])
    played.damaging = ["lake/prints"]
    found = run(played, tmp_path, monkeypatch)
    assert (found.outcome, found.healed, found.anew) == (Outcome.NOTICED, True, True)


def test_one_that_an_earlier_run_left_on_is_switched_off_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"], ["lake/prints"])
    played.on = "another"
    run(played, tmp_path, monkeypatch)
    assert played.done[:2] == ["switch None", "switch no-print"]


def test_what_an_earlier_try_left_behind_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no-print").mkdir()
    played = Played(["off", "on", "off"], ["lake/prints"])
    assert run(played, tmp_path, monkeypatch).evidence == "no-print-2"


def test_certificates_are_renewed_with_each_switch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(["off", "on", "off"], ["lake/prints"])
    run(played, tmp_path, monkeypatch, mutant(renew=True))
    switched = [one for one in played.done if one.startswith("switch")]
    assert switched == ["switch no-print renewed", "switch None renewed"]


@pytest.mark.parametrize(
    ("mutants", "judged"),
    [
        ([mutant()], [f"lake/prints and {PLAIN}"]),
        # One that is to be judged by all needs all to have held.
        ([mutant(), mutant("b", missing=True)], ["all"]),
        (
            [mutant(), mutant("b", missing=True), mutant("c", notices="lake/extended")],
            ["all", "lake/extended"],
        ),
    ],
)
def test_the_control_is_of_the_same_behaviours_with_the_program_and_no_mutant(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mutants: list[Mutant],
    judged: list[str],
) -> None:
    played = Played([])
    played.planted = False
    one = course(played, tmp_path, monkeypatch)
    one.control = Control()
    one.begin(mutants)
    assert one.control.of_all is ("all" in judged)
    assert played.done == ["switch None", *(f"judge {name} with None" for name in judged)]
    assert set(one.control.behaviours) >= {"lake/prints", PLAIN}


def test_the_control_of_further_mutants_is_of_what_was_not_judged_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played([])
    one = course(played, tmp_path, monkeypatch)
    one.control = Control()
    one.begin([mutant()])
    one.begin([mutant("b"), mutant("c", notices="lake/other")])
    assert played.done == [
        f"judge lake/prints and {PLAIN} with None",
        "judge lake/other with None",
    ]
    assert set(one.control.behaviours) == set(NAMES)
