"""A verdict: PASS, FAIL or INCONCLUSIVE, with what was expected, observed and the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum


class Outcome(Enum):
    """INCONCLUSIVE: too few samples, or evidence or lab lost. Never a pass, never a skip."""

    PASS = "PASS"  # noqa: S105 - not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of the calls from a cluster a version answered, all as fractions of one.

    ``caller``: the cluster; ``count`` of ``calls``; from ``low`` to ``high``: the parts that are
    no contradiction: those within the tolerance by which an error is noticed, or the band that is
    allowed; ``interval``: where the true part is for sure enough, None where that is no matter of
    chance; ``expected``: the part that is right, None where all of the band is.
    """

    caller: str
    version: str
    count: int
    calls: int
    low: float
    high: float
    expected: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Verdict:
    """The judgement of one claim. ``evidence``: what it rests on, by name, for people.

    ``also``: where it stands for several claims, those others that failed or were unclear, so
    that what is known of one failure hides none of them. ``noticed``: of a sabotage, the verdicts
    that it saw, which must be of its own making. ``shares``: the parts of calls that it rests on.
    """

    outcome: Outcome
    expected: str
    observed: str
    evidence: Mapping[str, str] = field(default_factory=dict)
    also: tuple[Verdict, ...] = field(default=(), compare=False, repr=False)
    noticed: tuple[Verdict, ...] = field(default=(), compare=False, repr=False)
    shares: tuple[Share, ...] = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        lines = [f"{self.outcome.value}: expected {self.expected}; observed {self.observed}"]
        lines += [f"  {name}: {value}" for name, value in self.evidence.items()]
        return "\n".join(lines)


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on several claims at once: the first that failed, else the first unclear, with
    the others that are no PASS beside it.

    No verdicts at all are INCONCLUSIVE: nothing was judged.
    """
    given = list(verdicts)
    noticed = tuple(seen for one in given for seen in one.noticed)
    shares = tuple(share for one in given for share in one.shares)
    troubles = [one for one in given if one.outcome is not Outcome.PASS]
    failed = [one for one in troubles if one.outcome is Outcome.FAIL]
    if troubles:
        worst = (failed or troubles)[0]
        beside = (each for one in troubles if one is not worst for each in (one, *one.also))
        return replace(worst, also=(*worst.also, *beside), noticed=noticed, shares=shares)
    if not given:
        return Verdict(Outcome.INCONCLUSIVE, "something to judge", "nothing")
    expected = "; ".join(verdict.expected for verdict in given)
    evidence = {
        f"{name} ({number})": value
        for number, verdict in enumerate(given, 1)
        for name, value in verdict.evidence.items()
    }
    return Verdict(Outcome.PASS, expected, "all of it", evidence, noticed=noticed, shares=shares)
