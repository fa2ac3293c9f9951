"""Tests that are judged several times: which of them are flaky, and how a run is told of."""

from __future__ import annotations

import json

from meshproof.model.request import of_all_rounds
from meshproof.report.ended import as_json
from meshproof.report.flaky import flaky_in, repeated
from meshproof.report.outcomes import Judged
from meshproof.report.tally import Tally

IDS = [f"suites/a/test_a.py::test_a[flat-from-east-#{number}]" for number in (1, 2, 3)]


def judged(test: str, outcome: str) -> Judged:
    return Judged(test, "a/a", "A holds.", "flat", outcome, "saw that", 1.0)


def test_the_rounds_of_a_test_have_one_name() -> None:
    assert {of_all_rounds(one) for one in IDS} == {"suites/a/test_a.py::test_a[flat-from-east]"}
    assert of_all_rounds("test_a[flat#2]") == "test_a[flat#2]"
    assert of_all_rounds("test_a") == "test_a"


def test_what_held_in_one_round_alone_is_flaky() -> None:
    mixed = [judged(test, one) for test, one in zip(IDS, ("PASS", "FAIL", "PASS"), strict=True)]
    (flaky,) = flaky_in(mixed)
    assert str(flaky).startswith("FLAKY: held 2 of 3 times, failed 1: suites/a/test_a.py::test_a[")
    assert flaky_in([judged(test, "PASS") for test in IDS]) == []
    assert flaky_in([judged(test, "FAIL") for test in IDS]) == []
    # One round that held and could not be torn down is one outcome.
    assert flaky_in([judged(IDS[0], "PASS"), judged(IDS[0], "INCONCLUSIVE")]) == []


def test_how_often_what_was_repeated_did_not_hold_is_one_figure() -> None:
    mixed = [judged(test, one) for test, one in zip(IDS, ("PASS", "FAIL", "PASS"), strict=True)]
    other = [
        judged(test.replace("east", "west"), one)
        for test, one in zip(IDS, ("KNOWN", "INCONCLUSIVE", "skipped"), strict=True)
    ]
    once = [judged("suites/a/test_a.py::test_b[flat]", "FAIL")]
    assert repeated([*mixed, *other, *once]) == (
        "Judged several times each: tests 2, verdicts 5; did not hold 2 (failed 1, could not be "
        "told 1); failed as known 1."
    )
    assert repeated([judged(test, "PASS") for test in IDS]) == (
        "Judged several times each: tests 1, verdicts 3; did not hold 0; failed as known 0."
    )
    assert repeated(once) == ""


def test_the_end_of_a_run_for_programs() -> None:
    mixed = [judged(test, one) for test, one in zip(IDS, ("PASS", "FAIL", "PASS"), strict=True)]
    data = json.loads(as_json(mixed, Tally.of(mixed, IDS), 1, "reports/run", "meshproof verify"))
    assert (data["result"], data["exitCode"], data["counts"]["failed"]) == ("FAILED", 1, 1)
    assert [one["test"] for one in data["tests"]] == [IDS[1]]
    assert data["flaky"] == ["suites/a/test_a.py::test_a[flat-from-east]"]
