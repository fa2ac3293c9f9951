"""What becomes of a verdict when something that was applied never came into force."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict
from meshproof.runner.judging import without_what_did_not_arrive

PASSED = Verdict(Outcome.PASS, "all calls to v2", "60 of 60")
FAILED = Verdict(Outcome.FAIL, "all calls to v2", "31 of 60")


def test_what_arrived_changes_no_verdict() -> None:
    assert without_what_did_not_arrive(PASSED, []) is PASSED


def test_what_holds_without_its_rule_proves_nothing() -> None:
    verdict = without_what_did_not_arrive(PASSED, ["the rule", "the rule", "the policy"])
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.observed == (
        "nothing can be claimed: the rule, the policy did not come about, and yet: 60 of 60"
    )


def test_what_fails_without_its_rule_fails_and_says_so() -> None:
    verdict = without_what_did_not_arrive(FAILED, ["the rule"])
    assert (verdict.outcome, verdict.observed) == (
        Outcome.FAIL,
        "31 of 60; before that the rule did not come about",
    )
