"""What is claimed of calls that went on while a part of a mesh was away."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from meshproof.expect import Outcome, Verdict
from meshproof.expect.control import as_control
from meshproof.traffic.stream_history import History

UNNAMED, NAMED = "gateways' host names are unknown", "they are known again"
"""What is done, as a stream's marks have it."""
_LAST = 5.0
"""Seconds before something was back in which it must have been missing."""
_FEW = 40
_LONGEST = 2.0
"""Seconds without an answer that a busy machine explains by itself."""
_LATE = 1.0
"""Seconds after which a call set out too late: whoever makes the calls stood still."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A pod of a version that was asked for while no istiod ran. ``refusal``: what Kubernetes said
    of it; ``pods``: those that came all the same; ``seconds``: from when istiod was there again
    until one was ready, None where it was not ``within`` so many; ``sidecar``: whether it has
    one."""

    version: str
    refusal: str
    pods: Sequence[str]
    seconds: float | None
    within: float
    sidecar: bool


def answered_all_along(history: History, callers: Collection[str]) -> Verdict:
    """At no time are these callers without answers: what is near goes on. INCONCLUSIVE: a caller
    has none at all, or most of the calls that had none set out late."""
    expected = f"{' and '.join(callers)} to have answers all the time, of whomever"
    if not callers:
        return Verdict(Outcome.INCONCLUSIVE, expected, "nobody called")
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


def was_missing(history: History, caller: str, version: str) -> Verdict:
    """The control: shortly before host names were known again a version that is led by a gateway
    with such a name did not answer a caller: else nobody would have missed them."""
    named = next(one for one in history.marks if one.what == NAMED)
    expected = f"{version} not to answer {caller} shortly before {NAMED}"
    due = history.between(named.begin - _LAST, named.begin)
    calls = [one for one in due if one.caller == caller and one.kind.chooses and one.answered]
    if len(calls) < _FEW:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"{len(calls)} calls were answered then")
    count = sum(one.version == version for one in calls)
    observed = f"it answered {count} of {len(calls)} calls"
    return as_control(Verdict(Outcome.FAIL if count else Outcome.PASS, expected, observed))


def refused_then_came(tried: Tried) -> Verdict:
    """A pod that was asked for while no istiod ran was refused, so that none came up without a
    sidecar, and came by itself, with one, not too late after istiod was there again."""
    what, within = f"a new pod of {tried.version}", tried.within
    expected = f"{what} to be refused without istiod, and to come within {within:.0f} s with it"
    if tried.pods:
        return Verdict(Outcome.FAIL, expected, f"{', '.join(tried.pods)} came without istiod")
    if "webhook" not in tried.refusal:
        observed = f"nobody refused it by a webhook: {tried.refusal or 'nothing was said'}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    if tried.seconds is None:
        return Verdict(Outcome.FAIL, expected, f"{what} was not ready {within:.0f} s later")
    if not tried.sidecar:
        return Verdict(Outcome.FAIL, expected, f"{what} came without a sidecar")
    observed = f"it was refused ({tried.refusal[:200]}), and ready after {tried.seconds:.1f} s"
    return Verdict(Outcome.PASS, expected, observed)
