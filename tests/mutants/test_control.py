"""What a control run tells of behaviours, without any mutant."""

from __future__ import annotations

import pytest

from meshproof.mutants.control import Control, not_judged
from tests.mutants.made import outcome_of

ONE = "lake/prints"


def test_a_behaviour_that_held_tells() -> None:
    assert Control((outcome_of(ONE),)).why_not(ONE) == ""


@pytest.mark.parametrize("outcome", ["FAIL", "INCONCLUSIVE", "skipped"])
def test_one_that_did_not_hold_tells_nothing(outcome: str) -> None:
    control = Control((outcome_of(ONE), outcome_of(ONE, outcome, "v2 is mute")))
    assert control.why_not(ONE) == f"{ONE} was {outcome} with no mutant on: v2 is mute"


def test_a_known_issue_beside_what_held_tells_and_alone_it_does_not() -> None:
    known = outcome_of(ONE, "KNOWN", "as known")
    assert Control((outcome_of(ONE), known)).why_not(ONE) == ""
    assert Control((known,)).why_not(ONE) == f"{ONE} was not judged with no mutant on"


def test_one_that_was_not_judged_tells_nothing() -> None:
    assert Control().why_not(ONE) == f"{ONE} was not judged with no mutant on"


def test_what_a_run_of_all_leaves_out_is_judged_alone() -> None:
    wanted = ["a/b", "a/c"]
    assert not_judged(wanted, Control()) == wanted
    assert not_judged(wanted, Control((outcome_of("a/b"),), of_all=True)) == ["a/c"]
