"""One cause is told once, with a count; what each test says of itself stays its own."""

from __future__ import annotations

from rich.console import Console

from meshproof.events import Data, Event
from meshproof.report import judged, summary
from meshproof.report.causes import by_cause

LOST = "cluster east is lost: container mp-0a1b2c3d-east-control-plane does not run."


def event(test: str, outcome: str, why: str, **other: object) -> Event:
    data: Data = {"test": test, "behaviour": "lake/fish", "sentence": "Fish swim.", "seconds": 1.0}
    data |= {"outcome": outcome, "why": why, "deployment": {"id": "flat"}, "evidence": []}
    return Event(1.0, "test", {**data, **other})


RECORD = [
    event("a", "PASS", ""),
    event("b", "INCONCLUSIVE", "127.0.0.1: connection refused", cause=LOST, evidence=["e/b"]),
    event("c", "INCONCLUSIVE", "expected fish; observed nothing", cause=LOST),
    *(event(f"d{number}", "INCONCLUSIVE", LOST, cause=LOST) for number in range(60)),
    event("e", "FAIL", "it sank"),
    event("f", "INCONCLUSIVE", "too few fish"),
]


def text() -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(summary(judged(RECORD)))
    return capture.get()


def test_what_one_cause_kept_from_being_judged_is_one_line_with_a_count() -> None:
    told = text()
    assert f"could not tell, 62 tests: {LOST}\n  the first: b\n  evidence: e/b\n" in told
    assert told.count(LOST) == 1
    assert "connection refused" not in told and "observed nothing" not in told


def test_verdicts_are_told_as_they_are() -> None:
    told = text()
    assert "FAILED: e\nit sank\n" in told
    assert "could not tell: f\ntoo few fish\n" in told


def test_the_record_keeps_the_cause_of_each_test_and_its_own_words() -> None:
    found = {one.test: one for one in judged(RECORD)}
    assert [(found[name].cause, found[name].why) for name in "bf"] == [
        (LOST, "127.0.0.1: connection refused"),
        ("", "too few fish"),
    ]


def test_a_cause_and_a_verdict_in_the_same_words_are_two() -> None:
    same = [event("a", "INCONCLUSIVE", "x", cause="x"), event("b", "INCONCLUSIVE", "x")]
    assert [(one.unjudged, len(one.tests)) for one in by_cause(judged(same))] == [
        (True, 1),
        (False, 1),
    ]
