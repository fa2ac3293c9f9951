"""Controls beside negative claims, and verdicts that must stay undecided."""

from __future__ import annotations

import pytest

from meshproof.expect import Outcome, Verdict
from meshproof.expect.control import as_control, with_control
from meshproof.expect.reach import undecided

_HELD = Verdict(Outcome.PASS, "calls to succeed", "all of them")
_REFUSED = Verdict(Outcome.PASS, "calls to be refused", "all of them")


def _said(outcome: Outcome, observed: str = "are access logs on?") -> Verdict:
    return Verdict(outcome, "agreement", observed)


@pytest.mark.parametrize("outcome", Outcome)
def test_a_control_that_held_leaves_the_verdict(outcome: Outcome) -> None:
    """The verdict stays what it is, and tells what the control was."""
    judged = with_control(_said(outcome), _HELD)
    assert judged.outcome is outcome
    assert judged.evidence["control"] == "calls to succeed"


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.INCONCLUSIVE])
def test_a_control_that_did_not_hold_proves_nothing(outcome: Outcome) -> None:
    """Not even a refusal is believed when the control failed as well."""
    judged = with_control(_REFUSED, _said(outcome, "12 x 503"))
    assert judged.outcome is Outcome.INCONCLUSIVE
    assert "12 x 503" in judged.observed


@pytest.mark.parametrize("outcome", Outcome)
def test_a_control_by_itself_never_fails(outcome: Outcome) -> None:
    """What does not hold leaves the claim beside it unclear; that it is a control is said."""
    judged = as_control(_said(outcome))
    held = outcome is Outcome.PASS
    assert judged.outcome is (Outcome.PASS if held else Outcome.INCONCLUSIVE)
    assert (judged.expected, judged.observed) == ("as a control, agreement", "are access logs on?")


def test_what_cannot_tell_and_says_why_is_undecided() -> None:
    """Each verdict must be inconclusive and name the culprit."""
    assert undecided([_said(Outcome.INCONCLUSIVE)], "are access logs on").outcome is Outcome.PASS


@pytest.mark.parametrize(
    "other",
    [_HELD, _said(Outcome.FAIL), _said(Outcome.INCONCLUSIVE, "too few calls")],
)
def test_what_decides_or_does_not_say_why_is_not_undecided(other: Verdict) -> None:
    """A pass, a failure, or another reason is a FAIL of the bench."""
    verdicts = [_said(Outcome.INCONCLUSIVE), other]
    assert undecided(verdicts, "are access logs on").outcome is Outcome.FAIL


def test_no_verdicts_are_not_undecided() -> None:
    """Nothing judged is nothing shown."""
    assert undecided([], "anything").outcome is Outcome.INCONCLUSIVE
