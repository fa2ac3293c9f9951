"""Judges which share of the calls a version answered: by chance, or by a schedule.

scipy is imported where it is used: it would add a second to the start of every pytest, which
loads the plugin and with it this package.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import accumulate
from math import ceil, log
from typing import cast

from meshproof.errors import UsageError
from meshproof.expect.calls import agreed_version
from meshproof.expect.verdict import Outcome, Share, Verdict
from meshproof.traffic.response import Response

CONFIDENCE = 0.99999
"""One minus the rate of false alarms: the true share is the expected one, and yet a FAIL. A run has
some thirty such verdicts: at 0.999 one run in 35 would fail by chance, so it is one in 3000."""
POWER = 0.99
"""How often a share that is off by the tolerance is noticed, at least."""
_SURELY = 0.999
_EQUAL = 1 + 1e-7  # scipy.stats.binomtest takes probabilities this close for the same


def calls_to_meet(share: float, odds: float = 2**-40) -> int:
    """How many calls it takes until a version that answers this share of them has answered once,
    but for the ``odds`` that it has not. Raises UsageError for a share that is none."""
    if not 0 < share <= 1:
        raise UsageError(f"a share of {share} cannot be", "choose one above 0, 1 at most")
    return 1 if share == 1 else ceil(log(odds) / log(1 - share))


@cache
def calls_needed(share: float, tolerance: float, confidence: float = CONFIDENCE) -> int:
    """The number of calls from which on the exact binomial test notices a wrong share.

    With n calls the test rejects a count k when p(k) < 1 - confidence, p(k) being the sum of
    all Binom(n, share) probabilities no greater than that of k (two-sided, as in
    scipy.stats.binomtest); so false alarms are no more frequent than 1 - confidence. Its power
    is P(k rejected) under Binom(n, share - tolerance) or Binom(n, share + tolerance), the
    smaller of the two; a side beyond 0 or 1 cannot be and is left out. What is off by more is
    noticed more often. Returned is the least n such that the power is at least POWER for it
    *and every larger number*: power is a sawtooth in n, so the first n that has it is not
    enough. Raises UsageError for a share that is not between 0 and 1, or a tolerance by which
    no share can differ. Takes seconds where the tolerance is below 0.05.
    """
    others = _others(share, tolerance)
    if not 0 < confidence < 1:
        raise UsageError(f"a confidence of {confidence} cannot be", "choose one such as 0.999")
    calls = 2
    # Where the power is this much higher, the sawtooth is too flat to fall below POWER again.
    while _power(calls, share, others, confidence) < _SURELY:
        calls = ceil(calls * 1.1)
    while calls > 1 and _power(calls - 1, share, others, confidence) >= POWER:
        calls -= 1
    return calls


def share_of(
    responses: Sequence[Response], version: str, share: float, tolerance: float
) -> Verdict:
    """FAIL when the calls that ``version`` answered contradict the expected share.

    For routing by weight, where Envoy draws a random number for each request (``topologies.md``,
    Routing); for load balancing by a schedule see ``share_within``. ``share`` and ``tolerance``
    are fractions of one. The test is scipy.stats.binomtest, two-sided, at 1 - CONFIDENCE.
    INCONCLUSIVE: fewer calls than ``calls_needed``, or calls of which nobody knows who served
    them: the share among the rest says nothing. Raises UsageError as ``calls_needed`` does.
    """
    expected = _part(f"{version} to answer", len(responses), share, tolerance)
    if unclear := _unclear(responses, expected):
        return unclear
    count = _count(responses, version)
    told, interval = _judged(expected, count, len(responses), share, tolerance)
    seen = Share(
        responses[0].caller,
        version,
        count,
        len(responses),
        max(share - tolerance, 0),
        min(share + tolerance, 1),
        share,
        interval,
    )
    return replace(told, shares=(seen,))


def part_of(calls: Sequence[bool | None], what: str, share: float, tolerance: float) -> Verdict:
    """FAIL when the part of the calls of which something holds contradicts the expected share, by
    the same test.

    ``calls``: of each whether it does, None where nobody knows; ``what``: what does it, as in "the
    fault to end". INCONCLUSIVE, and raised: as for ``share_of``.
    """
    expected, total = _part(what, len(calls), share, tolerance), len(calls)
    unknown = sum(one is None for one in calls)
    if unknown or not calls:
        observed = f"{unknown} of {total} calls of which nobody knows" if calls else "no calls"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return _judged(expected, sum(map(bool, calls)), total, share, tolerance)[0]


def _part(what: str, total: int, share: float, tolerance: float) -> str:
    """What is expected of a part of the calls. Raises UsageError as ``calls_needed`` does."""
    return (
        f"{what} {share:.1%} of {total} calls (at least {calls_needed(share, tolerance)} are "
        f"needed to notice one that is off by {tolerance:.1%}: missed at most {1 - POWER:.1%} of "
        f"the time, false alarm at most {1 - CONFIDENCE:.3%})"
    )


def _judged(
    expected: str, count: int, total: int, share: float, tolerance: float
) -> tuple[Verdict, tuple[float, float]]:
    """The verdict on so many of all calls, and the interval that their true share is in."""
    from scipy.stats import binomtest

    needed = calls_needed(share, tolerance)
    test = binomtest(count, total, share)
    found = test.proportion_ci(CONFIDENCE, method="exact")
    interval = float(found.low), float(found.high)
    p_value = float(test.pvalue)
    observed = (
        f"{count} of {total} calls ({count / total:.1%}), p = {p_value:.2g}, "
        f"{CONFIDENCE:.3%} interval {interval[0]:.1%} to {interval[1]:.1%}"
    )
    if total < needed:
        too_few = f"{observed}: too few calls, {needed} are needed"
        return Verdict(Outcome.INCONCLUSIVE, expected, too_few), interval
    wrong = p_value < 1 - CONFIDENCE
    return Verdict(Outcome.FAIL if wrong else Outcome.PASS, expected, observed), interval


def share_within(responses: Sequence[Response], version: str, low: float, high: float) -> Verdict:
    """PASS when the share of calls that ``version`` answered is from ``low`` to ``high``.

    For unequal weights, which Envoy schedules almost deterministically, so that a binomial
    interval does not describe them (``topologies.md``, Weight): the band is exact, both ends
    belong to it. INCONCLUSIVE: so few calls that one more or fewer is more than half the band,
    or calls of which nobody knows who served them. Raises UsageError for a band that is empty,
    or that every share is in.
    """
    if not 0 <= low < high <= 1 or (low, high) == (0, 1):
        raise UsageError(
            f"the band from {low} to {high} is none", "choose two fractions of one, low < high"
        )
    total, needed = len(responses), ceil(round(2 / (high - low), 6))
    expected = f"{version} to answer from {low:.1%} to {high:.1%} of {total} calls"
    if unclear := _unclear(responses, expected):
        return unclear
    count = _count(responses, version)
    observed = f"{count} of {total} calls ({count / total:.1%})"
    seen = (Share(responses[0].caller, version, count, total, low, high),)
    if total < needed:
        too_few = f"{observed}: too few calls for that band, {needed} are needed"
        return Verdict(Outcome.INCONCLUSIVE, expected, too_few, shares=seen)
    within = low <= count / total <= high
    return Verdict(Outcome.PASS if within else Outcome.FAIL, expected, observed, shares=seen)


def _others(share: float, tolerance: float) -> tuple[float, ...]:
    """The shares that differ from ``share`` by ``tolerance``."""
    if not 0 < share < 1:
        raise UsageError(
            f"a share of {share} is nothing for statistics",
            "choose one between 0 and 1, or judge by served_by_exactly or none_served_by",
        )
    sides = (round(share - tolerance, 12), round(share + tolerance, 12))  # 0.3 + 0.7 is no more
    possible = tuple(side for side in sides if 0 <= side <= 1)
    if tolerance <= 0 or not possible:
        raise UsageError(
            f"no share differs from {share} by {tolerance}", "choose a smaller one above 0"
        )
    return possible


def _power(calls: int, share: float, others: Sequence[float], confidence: float) -> float:
    """How often the test rejects ``share`` when another is true: the one it notices least."""
    from scipy.stats import binom

    least, most = _accepted(calls, share, confidence)
    kept = (binom.cdf(most, calls, true) - binom.cdf(least - 1, calls, true) for true in others)
    return 1 - max(float(one) for one in kept)


def _accepted(calls: int, share: float, confidence: float) -> tuple[int, int]:
    """The least and the greatest count that the test does not reject; it takes all between.

    (Binomial probabilities have one peak, so the likeliest counts are neighbours.)
    """
    from scipy.stats import binom

    likely = cast(Sequence[float], binom.pmf(range(calls + 1), calls, share))  # its stub is vague
    ordered = sorted(likely)
    below = list(accumulate(ordered))
    p_values = (below[bisect_right(ordered, one * _EQUAL) - 1] for one in likely)
    kept = [count for count, p in enumerate(p_values) if p >= 1 - confidence]
    return kept[0], kept[-1]


def _count(responses: Sequence[Response], version: str) -> int:
    return sum(agreed_version(response) == version for response in responses)


def _unclear(responses: Sequence[Response], expected: str) -> Verdict | None:
    """INCONCLUSIVE when there are no calls, or some of which nobody knows who served them."""
    if not responses:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no calls")
    unknown = [response for response in responses if agreed_version(response) is None]
    if not unknown:
        return None
    observed = (
        f"{len(unknown)} of {len(responses)} calls of which nobody knows who served them, "
        f"such as call {unknown[0].id}: {unknown[0]}"
    )
    return Verdict(Outcome.INCONCLUSIVE, expected, observed)
