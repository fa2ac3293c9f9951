"""What did not hold, or could not be judged, by its cause: one cause is told once, with a count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshproof.report.outcomes import Judged


@dataclass(frozen=True)
class Cause:
    """What several tests have in common that did not hold, or could not tell.

    ``text``: the cause itself, or what all of them say; ``tests``: in the order given;
    ``unjudged``: they came to no verdict, because of something that is no test's own matter, such
    as a cluster that was lost.
    """

    outcome: str
    text: str
    tests: Sequence[Judged]
    unjudged: bool

    @property
    def evidence(self) -> tuple[str, ...]:
        """The pages of evidence of its tests, each once."""
        return tuple(dict.fromkeys(page for one in self.tests for page in one.evidence))


def by_cause(troubles: Iterable[Judged]) -> list[Cause]:
    """The causes of these outcomes, in the order in which their first tests come."""
    found: dict[tuple[str, str, bool], list[Judged]] = {}
    for one in troubles:
        key = (one.outcome, one.cause or one.why, bool(one.cause))
        found.setdefault(key, []).append(one)
    return [
        Cause(outcome, text, tests, unjudged) for (outcome, text, unjudged), tests in found.items()
    ]
