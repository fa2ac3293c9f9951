"""Sets known issues apart from what fails otherwise: none of them may hide anything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from meshproof.expect.verdict import Outcome, Verdict, all_of
from meshproof.model import KnownIssue


def explained(
    verdict: Verdict, issues: Sequence[KnownIssue]
) -> tuple[Verdict, tuple[KnownIssue, ...]]:
    """A verdict, and the known issues that explain all of it; () where it counts as it is.

    ``issues``: those that apply. Each of the claims that it stands for must have failed just as
    one of them says. Where another failed otherwise, or was unclear, the verdict is on those
    others alone.
    """
    if verdict.outcome is not Outcome.FAIL:
        return verdict, ()
    parts = (replace(verdict, also=()), *verdict.also)
    others = [one for one in parts if not _showing([one], issues)]
    if len(others) == len(parts):
        return verdict, ()
    if others:
        return replace(all_of(others), noticed=verdict.noticed), ()
    return verdict, _showing(parts, issues)


def undone(
    verdict: Verdict, issues: Sequence[KnownIssue]
) -> tuple[Verdict, tuple[KnownIssue, ...]]:
    """The verdict on a sabotage, and the known issues by which it has shown nothing: where a claim
    failed just as it does without it, whether that was taken for what was broken or not; () where
    it counts as it is.

    ``issues``: the known issues of the behaviours whose claims it makes.
    """
    known = [one for one in verdict.noticed if _showing([one], issues)]
    disturbed = {Outcome.PASS: bool(known), Outcome.FAIL: known == list(verdict.noticed)}
    if not known or not disturbed.get(verdict.outcome, False):
        return verdict, ()
    shown = _showing(known, issues)
    observed = (
        f"a claim that failed just as {shown[0].name} says, with or without what was broken: "
        f"{known[0].observed}"
    )
    return Verdict(Outcome.FAIL, verdict.expected, observed, verdict.evidence), shown


def _showing(parts: Iterable[Verdict], issues: Sequence[KnownIssue]) -> tuple[KnownIssue, ...]:
    """The issues that show in any of these, as far as these failed."""
    failed = [one.observed for one in parts if one.outcome is Outcome.FAIL]
    return tuple(one for one in issues if any(map(one.shows_in, failed)))
