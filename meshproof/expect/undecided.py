"""Judges the bench's own honesty: where evidence is missing, it says that it cannot tell."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.expect.verdict import Outcome, Verdict


def undecided(verdicts: Sequence[Verdict], culprit: str) -> Verdict:
    """PASS when every one of the verdicts is INCONCLUSIVE and names ``culprit``.

    For sabotage of the evidence, not of the mesh: ``noticed`` is for what must FAIL.
    """
    expected = f"{len(verdicts)} verdicts to be inconclusive, each naming '{culprit}'"
    if not verdicts:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no verdicts")
    missed = [
        verdict
        for verdict in verdicts
        if verdict.outcome is not Outcome.INCONCLUSIVE or culprit not in verdict.observed
    ]
    if missed:
        return Verdict(Outcome.FAIL, expected, f"{len(missed)} that were not: {missed[0]}")
    return Verdict(Outcome.PASS, expected, "all of them", {"for example": verdicts[0].observed})
