"""What is claimed of calls that went on while a part of a mesh was away."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

from meshproof.expect import Outcome, Verdict
from meshproof.traffic.stream_history import History

_LONGEST = 2.0
"""Seconds without an answer that a busy machine explains by itself."""
_LATE = 1.0
"""Seconds after which a call set out too late: whoever makes the calls stood still."""


def answered_all_along(history: History, callers: Collection[str]) -> Verdict:
    """At no time are these callers without answers: what is near goes on. INCONCLUSIVE: a caller
    has none at all, or most of the calls that had none set out late."""
    expected = f"{' and '.join(callers)} to have answers all the time, of whomever"
    longest = 0.0
    for caller in callers:
        answered = [one.at for one in history.of(caller) if one.answered]
        if not answered:
            return Verdict(Outcome.INCONCLUSIVE, expected, f"{caller} had none at all")
        begin, gap = max(
            ((first, second - first) for first, second in pairwise([*answered, history.end])),
            key=lambda one: one[1],
        )
        due = [one for one in history.of(caller) if begin < one.at <= begin + gap]
        if gap > _LONGEST and 2 * sum(one.late > _LATE for one in due) > len(due):
            observed = f"{caller} had none for {gap:.1f} s, in which it made its calls late"
            return Verdict(Outcome.INCONCLUSIVE, expected, observed)
        if gap > _LONGEST:
            observed = f"{caller} had none for {gap:.1f} s, from {history.relative(begin)}"
            return Verdict(Outcome.FAIL, expected, observed)
        longest = max(longest, gap)
    return Verdict(Outcome.PASS, expected, f"the longest time without one was {longest:.1f} s")
