"""What a run came to: its line, its exit code, and whether its record is whole."""

from __future__ import annotations

import pytest

from meshproof.events import Event
from meshproof.model import Policy
from meshproof.report import Judged, Tally, ending


def outcome(test: str, said: str) -> Judged:
    return Judged(test, "b/c", "b", "g", said, "", 1.0)


@pytest.mark.parametrize(
    ("said", "planned", "code", "line"),
    [
        ("PP", "ab", 0, "HELD: 2 of 2; 0 failed, 0 could not tell, 0 not run"),
        ("PF", "ab", 1, "FAILED: 1 of 2 held; 1 failed, 0 could not tell, 0 not run"),
        ("PI", "ab", 2, "COULD NOT TELL: 1 of 2 held; 0 failed, 1 could not tell, 0 not run"),
        ("FI", "abc", 1, "FAILED: 0 of 3 held; 1 failed, 1 could not tell, 1 not run"),
        ("P", "ab", 2, "COULD NOT TELL: 1 of 2 held; 0 failed, 0 could not tell, 1 not run"),
        ("Ps", "ab", 2, "COULD NOT TELL: 1 of 2 held; 0 failed, 0 could not tell, 1 not run"),
        ("", "", 2, "COULD NOT TELL: 0 of 0 held; 0 failed, 0 could not tell, 0 not run"),
    ],
)
def test_the_line_and_the_exit_code(said: str, planned: str, code: int, line: str) -> None:
    words = {"P": "PASS", "F": "FAIL", "I": "INCONCLUSIVE", "s": "skipped"}
    outcomes = [outcome(test, words[one]) for test, one in zip("abc", said, strict=False)]
    tally = Tally.of(outcomes, list(planned))
    assert tally.exit_code(Policy.ALLOW) == code
    assert tally.line(code) == line


def test_of_several_outcomes_of_one_test_the_worst_counts() -> None:
    found = Tally.of([outcome("a", "PASS"), outcome("a", "INCONCLUSIVE")], ["a"])
    assert found == Tally(unclear=1)


BEGIN = Event(1.0, "run-begin", {"tests": ["a", "b"]})
END = Event(9.0, "run-end", {"exit_code": 1})


@pytest.mark.parametrize(
    ("events", "said", "code", "early"),
    [
        ([BEGIN, END], ["PASS", "FAIL"], 1, None),
        ([BEGIN], ["PASS", "FAIL"], 1, "before the run came to its end"),
        ([BEGIN], ["PASS", "PASS"], 2, "before the run came to its end"),
        ([BEGIN], [], 2, "before its first verdict"),
        ([], [], 2, "before its first verdict"),
        ([END], ["PASS", "PASS"], 2, "The record has no beginning"),
        ([BEGIN, BEGIN, END], ["PASS", "PASS"], 2, "The record is of several runs"),
        ([BEGIN, END, BEGIN, END], ["FAIL"], 1, "The record is of several runs"),
    ],
)
def test_a_record_that_is_not_whole_is_said_to_end_early(
    events: list[Event], said: list[str], code: int, early: str | None
) -> None:
    found = ending(events, [outcome(test, one) for test, one in zip("ab", said, strict=False)])
    assert found.exit_code == code
    assert (found.early is None) if early is None else early in (found.early or "")
