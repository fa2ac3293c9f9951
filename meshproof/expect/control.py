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


def with_control(verdict: Verdict, control: Verdict) -> Verdict:
    """The verdict, if the control passed; INCONCLUSIVE, with what the control saw, if not."""
    if control.outcome is Outcome.PASS:
        evidence = {**verdict.evidence, "control": control.expected}
        return replace(verdict, evidence=evidence)
    observed = f"the control did not hold, so nothing is proven: {control.observed}"
    return Verdict(Outcome.INCONCLUSIVE, verdict.expected, observed, control.evidence)
