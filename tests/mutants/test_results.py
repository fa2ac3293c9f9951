"""What becomes of mutants: outcomes, exit codes, and the file of results."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_DID_NOT_HOLD, EXIT_HELD, UsageError
from meshproof.mutants.results import (
    PLAIN,
    Campaign,
    Notice,
    Outcome,
    Result,
    count,
    exit_code,
    noticed,
    plainly,
    read,
    write,
)
from tests.mutants.made import mutant, outcome_of

ONE = mutant()
MUST, OTHER = ONE.notices, "lake/other"


def test_it_is_noticed_rightly_by_the_behaviour_that_must() -> None:
    found = noticed(ONE, [outcome_of(MUST), outcome_of(MUST, "FAIL", "it printed nothing")], [])
    assert found.outcome is Outcome.NOTICED
    assert found.by == (Notice(behaviour=MUST, words="it printed nothing"),)


def test_rightly_also_when_that_behaviour_failed_among_all_alone() -> None:
    everything = [outcome_of(OTHER, "FAIL", "odd"), outcome_of(MUST, "FAIL", "late")]
    assert noticed(ONE, [outcome_of(MUST)], everything).outcome is Outcome.NOTICED


def test_another_that_fails_is_named() -> None:
    found = noticed(ONE, [outcome_of(MUST)], [outcome_of(MUST), outcome_of(OTHER, "FAIL", "odd")])
    assert found.outcome is Outcome.ELSEWHERE
    assert [one.behaviour for one in found.by] == [OTHER]


def test_all_green_is_unnoticed() -> None:
    assert noticed(ONE, [outcome_of(MUST)], [outcome_of(OTHER)]).outcome is Outcome.UNNOTICED


@pytest.mark.parametrize("outcome", ["INCONCLUSIVE", "skipped"])
def test_what_was_not_judged_could_have_noticed(outcome: str) -> None:
    found = noticed(ONE, [outcome_of(MUST, outcome, "no evidence")], [outcome_of(OTHER)])
    assert found.outcome is Outcome.UNDECIDED
    assert found.why == f"{MUST}: no evidence"


def test_nothing_judged_is_no_verdict() -> None:
    assert noticed(ONE, [], []).outcome is Outcome.UNDECIDED


def test_plain_distribution_is_as_its_worst_test() -> None:
    assert plainly([outcome_of(OTHER, "FAIL")]) == ""
    assert plainly([outcome_of(PLAIN), outcome_of(OTHER, "FAIL")]) == "PASS"
    assert plainly([outcome_of(PLAIN), outcome_of(PLAIN, "FAIL")]) == "FAIL"


def result(outcome: Outcome, *, healed: bool = True) -> Result:
    return Result(id=ONE.id, outcome=outcome, healed=healed)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.NOTICED, EXIT_HELD),
        (Outcome.UNFIT, EXIT_HELD),
        (Outcome.ELSEWHERE, EXIT_DID_NOT_HOLD),
        (Outcome.UNNOTICED, EXIT_DID_NOT_HOLD),
        (Outcome.UNDECIDED, EXIT_COULD_NOT_TELL),
        (Outcome.NOT_IN_FORCE, EXIT_COULD_NOT_TELL),
        (Outcome.BROKEN, EXIT_COULD_NOT_TELL),
    ],
)
def test_exit_codes(outcome: Outcome, code: int) -> None:
    assert exit_code([result(outcome)], [ONE]) == code


def test_what_is_explained_does_not_fail_and_what_did_not_heal_is_no_success() -> None:
    explained = mutant(explained="Nobody prints.")
    assert exit_code([result(Outcome.UNNOTICED)], [explained]) == EXIT_HELD
    assert exit_code([result(Outcome.NOTICED, healed=False)], [ONE]) == EXIT_COULD_NOT_TELL
    assert exit_code([], [ONE]) == EXIT_COULD_NOT_TELL


def test_the_count_says_how_many_were_in_force() -> None:
    results = [result(Outcome.NOTICED), result(Outcome.UNNOTICED), result(Outcome.NOT_IN_FORCE)]
    assert count(results) == (
        "2 of 3 mutants in force: 1 noticed rightly, 1 unnoticed, 1 not in force."
    )


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    notice = Notice(behaviour=MUST, words="no")
    one = Result(id="a", outcome=Outcome.NOTICED, by=(notice,), plain="PASS", seconds=1.5)
    campaign = Campaign(meshproof="0.1.0", istio="1.31.1", results=(one,))
    write(tmp_path / "mutants.json", campaign)
    assert read(tmp_path / "mutants.json") == campaign


@pytest.mark.parametrize("text", ["", "{}", '{"meshproof": "1", "istio": 3}'])
def test_what_is_no_results_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mutants.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="holds no results of mutants"):
        read(path)
