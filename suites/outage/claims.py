"""What is claimed of calls that went on while a part of a mesh was away."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

from meshproof.expect import Outcome, Verdict
from meshproof.traffic.stream_history import History

_LONGEST = 2.0
"""Seconds without an answer that a busy machine explains by itself."""


def answered_all_along(history: History, callers: Collection[str]) -> Verdict:
    """At no time are these callers without answers: what is near goes on."""
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
        if gap > _LONGEST:
            observed = f"{caller} had none for {gap:.1f} s, from {history.relative(begin)}"
            return Verdict(Outcome.FAIL, expected, observed)
        longest = max(longest, gap)
    return Verdict(Outcome.PASS, expected, f"the longest time without one was {longest:.1f} s")
