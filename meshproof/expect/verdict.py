"""A verdict: PASS, FAIL or INCONCLUSIVE, with what was expected, observed and the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum


class Outcome(Enum):
    """INCONCLUSIVE: too few samples, or evidence or lab lost. Never a pass, never a skip."""

    PASS = "PASS"  # noqa: S105 - not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True)
class Verdict:
    """The judgement of one claim. ``evidence``: what it rests on, by name, for people."""

    outcome: Outcome
    expected: str
    observed: str
    evidence: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.outcome.value}: expected {self.expected}; observed {self.observed}"]
        lines += [f"  {name}: {value}" for name, value in self.evidence.items()]
        return "\n".join(lines)


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on several claims at once: the first that failed, else the first unclear.

    No verdicts at all are INCONCLUSIVE: nothing was judged.
    """
    given = list(verdicts)
    for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE):
        for verdict in given:
            if verdict.outcome is outcome:
                return verdict
    if not given:
        return Verdict(Outcome.INCONCLUSIVE, "something to judge", "nothing")
    expected = "; ".join(verdict.expected for verdict in given)
    evidence = {
        f"{name} ({number})": value
        for number, verdict in enumerate(given, 1)
        for name, value in verdict.evidence.items()
    }
    return Verdict(Outcome.PASS, expected, "all of it", evidence)
