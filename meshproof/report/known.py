"""Known issues in a run's outcomes: which have shown, and which did not although they should."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshproof.model import issue_name
from meshproof.report.outcomes import KNOWN, Issue, Judged


@dataclass(frozen=True)
class Shown:
    """A known issue, and the tests that failed just as it says, in the order given."""

    issue: Issue
    tests: Sequence[Judged]

    def __str__(self) -> str:
        count, first = len(self.tests), self.tests[0]
        counted = f"{count} test{'s' if count > 1 else ''}"
        return (
            f"{KNOWN}, {counted}: {issue_name(self.issue.link)}: {self.issue.seen}\n"
            f"  {self.issue.link}\n  {'the first: ' if count > 1 else ''}{first.test}\n"
            f"{first.why.partition(chr(10))[0]}"
        )


@dataclass(frozen=True)
class Mended:
    """A known issue that did not show, and the deployments on which it should have: what was
    judged there of its behaviours all held. ``tests``: how many tests that were."""

    issue: Issue
    deployments: Sequence[str]
    behaviours: Sequence[str]
    tests: int

    def __str__(self) -> str:
        held = f"{self.tests} test{'s' if self.tests > 1 else ''} of {', '.join(self.behaviours)}"
        return (
            f"KNOWN ISSUE DID NOT SHOW: {issue_name(self.issue.link)} seems to be mended on "
            f"{', '.join(self.deployments)}, where {held} held\n  {self.issue.seen}\n"
            f"  {self.issue.link}\n"
            "  If that stays so, end the range of versions of its entry in the catalogue."
        )


def shown_in(outcomes: Iterable[Judged]) -> list[Shown]:
    """The known issues that have shown, each with its tests."""
    found: dict[str, tuple[Issue, list[Judged]]] = {}
    for one in outcomes:
        for issue in one.known_issues:
            if one.outcome == KNOWN and issue.shows:
                found.setdefault(issue.link, (issue, []))[1].append(one)
    return [Shown(issue, tests) for issue, tests in found.values()]


def mended_in(outcomes: Iterable[Judged]) -> list[Mended]:
    """The known issues that seem to be mended. One test that failed, or could not tell, leaves
    open what the others of its behaviour on its deployment say."""
    places: dict[tuple[str, str, str], list[Judged]] = {}
    issues: dict[str, Issue] = {}
    for one in outcomes:
        for issue in one.known_issues:
            issues.setdefault(issue.link, issue)
            places.setdefault((issue.link, one.behaviour, one.deployment), []).append(one)
    found: dict[str, list[tuple[str, str, int]]] = {}
    for (link, behaviour, deployment), tests in places.items():
        if all(one.outcome == "PASS" for one in tests):
            found.setdefault(link, []).append((behaviour, deployment, len(tests)))
    return [
        Mended(
            issues[link],
            tuple(dict.fromkeys(deployment for _, deployment, _ in where)),
            tuple(dict.fromkeys(behaviour for behaviour, _, _ in where)),
            sum(count for _, _, count in where),
        )
        for link, where in found.items()
    ]
