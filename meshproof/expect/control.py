"""Controls: what must succeed so that something that did not succeed means anything."""

from __future__ import annotations

from dataclasses import replace

from meshproof.expect.verdict import Outcome, Verdict


def as_control(verdict: Verdict) -> Verdict:
    """The verdict on a control: when it did not hold, the claim beside it is INCONCLUSIVE."""
    failed = verdict.outcome is not Outcome.PASS
    return replace(
        verdict,
        outcome=Outcome.INCONCLUSIVE if failed else Outcome.PASS,
        expected=f"as a control, {verdict.expected}",
    )
