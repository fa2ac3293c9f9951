"""Puts a control beside a negative claim: what did not happen means nothing where nothing can."""

from __future__ import annotations

from meshproof.expect.verdict import Outcome, Verdict


def with_control(verdict: Verdict, control: Verdict) -> Verdict:
    """The verdict, if the control passed; INCONCLUSIVE, with what the control saw, if not."""
    if control.outcome is Outcome.PASS:
        evidence = {**verdict.evidence, "control": control.expected}
        return Verdict(verdict.outcome, verdict.expected, verdict.observed, evidence)
    observed = f"the control did not hold, so nothing is proven: {control.observed}"
    return Verdict(Outcome.INCONCLUSIVE, verdict.expected, observed, control.evidence)
