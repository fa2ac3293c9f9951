"""From a verdict to the outcome of a test, with the evidence of what did not hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import pytest

from meshproof.errors import MeshproofError
from meshproof.expect import Outcome, Verdict
from meshproof.model import KnownIssue
from meshproof.report.outcomes import KNOWN
from meshproof.runner.behaviours import proven_by
from meshproof.runner.failures import collect_evidence, note_cause
from meshproof.runner.known import in_their_light
from meshproof.runner.stash import LABS, SESSION

_JUDGED = pytest.StashKey[bool]()


class InconclusiveError(MeshproofError):
    """A verdict was INCONCLUSIVE: an error in pytest's terms, never a skip."""


class DidNotHoldError(AssertionError):
    """A verdict was FAIL. No other error of a test is one: what breaks in a claim or a library
    says nothing of the mesh."""


class KnownIssueError(DidNotHoldError):
    """A verdict was FAIL, of just the kind that known issues tell of."""

    def __init__(self, verdict: Verdict, issues: Sequence[KnownIssue]) -> None:
        self.names = ", ".join(one.name for one in issues)
        told = [f"  known issue: {one.name}: {one.seen} {one.link}" for one in issues]
        super().__init__("\n".join([str(verdict), *told]))


def pronounce(item: pytest.Item, verdict: Verdict) -> None:
    """Record the verdict of a test. Raises DidNotHoldError or InconclusiveError unless it is a
    PASS; what a lost cluster or router may have caused is INCONCLUSIVE, and what known issues
    explain is KNOWN, for which KnownIssueError is raised."""
    item.stash[_JUDGED] = True
    labs = item.config.stash.get(LABS, None)
    lost = labs.lost() if labs is not None and verdict.outcome is not Outcome.PASS else None
    if lost is not None:
        note_cause(item, lost)
        verdict = replace(verdict, outcome=Outcome.INCONCLUSIVE, observed=lost.cause)
    elif labs is not None and not proven_by(item):
        verdict = without_what_did_not_arrive(verdict, labs.unmet)
    verdict, known = in_their_light(item, verdict)
    item.config.stash[SESSION].recorder.emit(
        "verdict",
        test=item.nodeid,
        outcome=KNOWN if known else verdict.outcome.value,
        expected=verdict.expected,
        observed=verdict.observed,
        evidence={name: str(value) for name, value in verdict.evidence.items()},
        shares=[asdict(one) for one in verdict.shares],
    )
    if known:
        raise KnownIssueError(verdict, known)
    if verdict.outcome is not Outcome.PASS:
        collect_evidence(item)
    if verdict.outcome is Outcome.INCONCLUSIVE:
        raise InconclusiveError(str(verdict))
    if verdict.outcome is Outcome.FAIL:
        raise DidNotHoldError(str(verdict))


def without_what_did_not_arrive(verdict: Verdict, unmet: Sequence[str]) -> Verdict:
    """The verdict on a mesh in which something that a test applied never came into force.

    ``unmet``: what that was. A PASS is INCONCLUSIVE then: what held may be what holds anyway. A
    FAIL stays one, and says it too. Not for sabotage, whose claims shall find things missing.
    """
    if not unmet:
        return verdict
    told = f"{', '.join(dict.fromkeys(unmet))} did not come about"
    if verdict.outcome is Outcome.PASS:
        observed = f"nothing can be claimed: {told}, and yet: {verdict.observed}"
        return replace(verdict, outcome=Outcome.INCONCLUSIVE, observed=observed)
    return replace(verdict, observed=f"{verdict.observed}; before that {told}")


def was_judged(item: pytest.Item) -> bool:
    """Whether a verdict on this test was pronounced."""
    return _JUDGED in item.stash
