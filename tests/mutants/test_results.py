"""What becomes of mutants: outcomes, exit codes, and the file of results."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_DID_NOT_HOLD, EXIT_HELD, UsageError
from meshproof.mutants.control import Control
from meshproof.mutants.results import (
    PLAIN,
    TOLD,
    Campaign,
    Held,
    Notice,
    Outcome,
    Result,
    count,
    digest_of,
    exit_code,
    left,
    merged,
    noticed,
    plainly,
    read,
    together,
    write,
)
from meshproof.report import Judged
from tests.mutants.made import mutant, outcome_of

ONE = mutant()
MUST, OTHER = ONE.notices, "lake/other"
SEEN = "FAIL: expected 3 calls from east to be printed; observed v2 printed none"
CONTROL = Control((outcome_of(MUST), outcome_of(OTHER)))


def became(
    first: list[Judged], everything: list[Judged], control: Control = CONTROL, tells: str = ""
) -> Result:
    one = mutant(tells=tells) if tells else ONE
    return noticed(one, control, first, everything)


def test_it_is_noticed_rightly_by_the_behaviour_that_must() -> None:
    found = became([outcome_of(MUST), outcome_of(MUST, "FAIL", SEEN)], [])
    assert found.outcome is Outcome.NOTICED
    assert found.by == (Notice(behaviour=MUST, words=SEEN),)


def test_rightly_also_when_that_behaviour_failed_among_all_alone() -> None:
    everything = [outcome_of(OTHER, "FAIL", SEEN), outcome_of(MUST, "FAIL", SEEN)]
    assert became([outcome_of(MUST)], everything).outcome is Outcome.NOTICED


@pytest.mark.parametrize(
    ("tells", "why", "outcome"),
    [
        # What was expected names clusters anyway; what was observed has to.
        ("", "FAIL: expected east to print; observed 3 of 4", Outcome.MISNAMED),
        ("", "FAIL: expected it to print; observed 3 of 4 in west", Outcome.NOTICED),
        ("3 x 404", "FAIL: expected 403; observed 3 x 503 by v1", Outcome.MISNAMED),
        ("3 x 404", "FAIL: expected 403; observed 3 x 404", Outcome.NOTICED),
    ],
)
def test_its_words_have_to_name_the_right_thing(tells: str, why: str, outcome: Outcome) -> None:
    assert became([outcome_of(MUST, "FAIL", why)], [], tells=tells).outcome is outcome


def test_of_several_failures_the_one_that_names_it_counts() -> None:
    failed = [outcome_of(MUST, "FAIL", "observed nothing"), outcome_of(MUST, "FAIL", SEEN)]
    found = became(failed, [])
    assert (found.outcome, found.by[0].words) == (Outcome.NOTICED, SEEN)


def test_what_looks_like_a_known_issue_and_was_none_before_is_the_mutants_doing() -> None:
    assert became([outcome_of(MUST, "KNOWN", SEEN)], []).outcome is Outcome.NOTICED


@pytest.mark.parametrize("before", ["KNOWN", "FAIL", "INCONCLUSIVE"])
def test_what_did_not_hold_before_notices_nothing(before: str) -> None:
    control = Control((outcome_of(MUST, before), outcome_of(OTHER)))
    found = became([outcome_of(MUST, "FAIL", SEEN)], [outcome_of(OTHER)], control)
    assert found.outcome is Outcome.UNNOTICED


def test_another_that_fails_is_named() -> None:
    found = became([outcome_of(MUST)], [outcome_of(MUST), outcome_of(OTHER, "FAIL", SEEN)])
    assert found.outcome is Outcome.ELSEWHERE
    assert [one.behaviour for one in found.by] == [OTHER]


def test_all_green_is_unnoticed() -> None:
    assert became([outcome_of(MUST)], [outcome_of(OTHER)]).outcome is Outcome.UNNOTICED


@pytest.mark.parametrize("outcome", ["INCONCLUSIVE", "skipped"])
def test_what_was_not_judged_could_have_noticed(outcome: str) -> None:
    found = became([outcome_of(MUST, outcome, "no evidence")], [outcome_of(OTHER)])
    assert found.outcome is Outcome.UNDECIDED
    assert found.why == f"{MUST}: no evidence"


def test_nothing_judged_is_no_verdict() -> None:
    assert became([], []).outcome is Outcome.UNDECIDED


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
        (Outcome.MISNAMED, EXIT_DID_NOT_HOLD),
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
    anew = result(Outcome.NOTICED, healed=False).model_copy(update={"anew": True})
    assert exit_code([anew], [ONE]) == EXIT_HELD
    assert exit_code([], [ONE]) == EXIT_COULD_NOT_TELL
    assert exit_code([result(Outcome.NOTICED)], [ONE, mutant("other")]) == EXIT_COULD_NOT_TELL


@pytest.mark.parametrize("outcome", Outcome)
def test_a_run_goes_on_with_what_an_earlier_one_did_not_tell(outcome: Outcome) -> None:
    earlier = result(outcome).model_copy(update={"digest": digest_of(ONE)})
    assert left([ONE], [earlier]) == (() if outcome in TOLD else (ONE,))


def test_and_with_what_the_catalogue_says_otherwise_by_now() -> None:
    earlier = result(Outcome.NOTICED).model_copy(update={"digest": digest_of(ONE)})
    changed = mutant(tells="404")
    assert left([changed], [earlier]) == (changed,)


def test_results_of_several_runs_are_put_together() -> None:
    def campaign(topology: str, *results: Result) -> Campaign:
        held = Held(topology=topology, held=(MUST,))
        return Campaign(meshproof="1", istio="1.31.1", controls=(held,), results=results)

    one, other = Result(id="a", outcome=Outcome.BROKEN), Result(id="b", outcome=Outcome.NOTICED)
    again = Result(id="a", outcome=Outcome.NOTICED)
    found = merged([campaign("flat", one), campaign("split", other, again)])
    assert found.results == (again, other)
    assert [held.topology for held in found.controls] == ["flat", "split"]
    other_istio = campaign("flat").model_copy(update={"istio": "1.30.0"})
    with pytest.raises(UsageError, match=r"of Istio 1\.31\.1 and of 1\.30\.0"):
        merged([campaign("flat"), other_istio])


def test_of_a_topologys_control_runs_the_last_counts_for_each_behaviour() -> None:
    def wrong(behaviour: str) -> Notice:
        return Notice(behaviour=behaviour, words="no")

    first = Held(topology="flat", held=("a/a", "b/b"), not_held=(wrong("c/c"), wrong("d/d")))
    later = Held(topology="flat", held=("c/c", "e/e"), not_held=(wrong("b/b"),), seconds=2.5)
    (found,) = together([first.model_copy(update={"seconds": 1.0}), later])
    assert (found.held, found.seconds) == (("a/a", "c/c", "e/e"), 3.5)
    assert found.not_held == (wrong("d/d"), wrong("b/b"))


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
