"""Judges a stream of calls: what was lost while something was done, for how long, and who was not
heard any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

from meshproof.expect.control import with_control
from meshproof.expect.share import calls_to_meet
from meshproof.expect.verdict import Outcome, Verdict, all_of
from meshproof.traffic.stream_history import (
    CallKind,
    History,
    StreamCall,
    is_contiguous,
    kinds_of_loss,
    latency,
    longest_without,
)
from meshproof.traffic.stream_lines import unlogged

_BEFORE = 20
"""So many calls of each caller must have been answered before anything is done."""
_LATE, _MAY_BE_LATE = 1.0, 0.05
"""Seconds after which a call has set out too late to tell anything, and the part that may."""
_ODDS = 2**-50
"""A stream has thousands of runs of calls that could miss somebody by chance."""


def sound(history: History) -> Verdict:
    """A control: whether a stream tells anything. INCONCLUSIVE: a caller made no calls, or some of
    them are not written down; the stream itself was too slow, or called off; calls were lost, or
    too few made, before anything was done; an answered call has no line in the log of its caller's
    proxy."""
    expected = f"a whole stream of calls from {_callers(history)}"
    for caller, count in history.counts.items():
        if told := _unsound(history.of(caller), count, history):
            return Verdict(Outcome.INCONCLUSIVE, expected, f"from {caller} {told}")
    return Verdict(Outcome.PASS, expected, f"{len(history.calls)} calls")


def nothing_lost(history: History) -> Verdict:
    """PASS when every call was answered as it should be; FAIL says how many were not, how they
    ended, from when to when, and what the longest time without an answer was."""
    expected = f"none of {len(history.calls)} calls to be lost {_while(history)}"
    if history.lost:
        return Verdict(Outcome.FAIL, expected, told_of(history))
    return Verdict(Outcome.PASS, expected, f"none of {len(history.calls)} calls was lost")


def lost_only_until(history: History, seconds: float) -> Verdict:
    """PASS when no call was lost before the first thing was done, nor later than so many seconds
    after the last had been done; how many were lost between is told."""
    end = history.done + seconds
    expected = f"calls to be lost, if any, no later than {seconds:.0f} s {_after(history)}"
    late = [one for one in history.lost if one.at > end]
    if late:
        observed = f"{len(late)} were lost later ({kinds_of_loss(late)}); in all {told_of(history)}"
        return Verdict(Outcome.FAIL, expected, observed)
    if history.end < end:
        observed = f"the stream ended {history.end - history.done:.0f} s {_after(history)}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, told_of(history))


def nobody_missing(
    history: History,
    shares: Mapping[str, Mapping[str, float]],
    behind_one: Mapping[str, Collection[str]],
) -> Verdict:
    """PASS when every version answered all the time: no run of answered calls is so long that it
    would have met the version, but by a chance that there is not. INCONCLUSIVE: nobody is due.

    ``shares``: by caller the part of its calls that each version answers; ``behind_one``: by caller
    the versions of which several are behind one gateway. That one chooses for each connection, and
    proxies keep theirs from request to request: counted are calls that are connections, where there
    are any. FAIL names the version, and from when to when it was not heard.
    """
    versions = sorted({version for due in shares.values() for version in due})
    expected = f"{', '.join(versions)} to answer all the time {_while(history)}"
    if not versions:
        return Verdict(Outcome.INCONCLUSIVE, expected, "nobody was to answer")
    longest = 0.0
    for caller, due in shares.items():
        every = history.of(caller)
        own = tuple(one for one in every if one.kind is CallKind.TCP_FRESH) or every
        for version, share in due.items():
            calls = own if version in behind_one.get(caller, ()) else every
            run = longest_without(calls, partial(_is_of, version))
            if not any(one.version == version for one in calls):
                observed = f"{version} did not answer {caller} once in {len(calls)} calls"
                return Verdict(Outcome.FAIL, expected, observed)
            seconds = run[-1].at - run[0].at if run else 0.0
            if len(run) > calls_to_meet(share, _ODDS):
                observed = (
                    f"{version} did not answer {caller} for {seconds:.1f} s, from "
                    f"{history.relative(run[0].at)}: {len(run)} calls were all answered by others"
                )
                return Verdict(Outcome.FAIL, expected, observed)
            longest = max(longest, seconds)
    observed = f"the longest time without one of them was {longest:.1f} s"
    return Verdict(Outcome.PASS, expected, observed)


def all_heard(
    history: History, pods: Mapping[str, Collection[str]], since: float, what: str
) -> Verdict:
    """PASS when each of these pods, and none else, answered its callers since a moment.

    ``pods``: by caller, those that are to answer it; ``what``: when that is, for people.
    INCONCLUSIVE: too few calls to meet all of them.
    """
    count = len({pod for due in pods.values() for pod in due})
    expected = f"{count} pods, and no others, to answer {what}"
    if not count:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no pod was to answer")
    for caller, due in pods.items():
        calls = [one for one in history.of(caller) if one.at >= since and one.kind.chooses]
        answered = [one for one in calls if one.answered]
        heard = {one.pod for one in answered}
        silent = sorted(set(due) - heard)
        if silent and len(answered) < calls_to_meet(1 / len(due), _ODDS):
            observed = f"{caller} had only {len(answered)} answers {what}"
            return Verdict(Outcome.INCONCLUSIVE, expected, observed)
        if silent:
            observed = f"{', '.join(silent)} answered none of {len(answered)} calls from {caller}"
            return Verdict(Outcome.FAIL, expected, observed)
        if others := sorted(heard - set(due)):
            observed = f"{', '.join(others)} answered {caller} as well"
            return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, f"{count} pods answered {what}")


def kept_to_ways(history: History, ways: Mapping[str, Mapping[str, Collection[str]]]) -> Verdict:
    """PASS when the callers' proxies sent every answered request where the version that answered is
    called: to its pods, or to gateways that lead to it.

    ``ways``: by caller and version the addresses and ports. FAIL names a way that is none. Calls
    without a line in the log are a matter of ``sound``.
    """
    expected = "every request to be sent to a pod, or a gateway, of the version that answered"
    count = 0
    for one in history.calls:
        if not (one.answered and one.kind.is_http and one.log is not None):
            continue
        due = ways.get(one.caller, {}).get(one.version, ())
        if one.log.upstream_host not in due:
            observed = (
                f"{one.caller} called {one.version} at {one.log.upstream_host}, and it is to be "
                f"called at {', '.join(sorted(due)) or 'nowhere'}"
            )
            return Verdict(Outcome.FAIL, expected, observed)
        count += 1
    if not count:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no request was answered")
    return Verdict(Outcome.PASS, expected, f"{count} requests went their ways")


def of_a_stream(history: History, claims: Sequence[Verdict]) -> Verdict:
    """The verdict on several claims of one stream: with its figures, and what each claim saw where
    all of them hold. INCONCLUSIVE where the stream tells nothing (``sound``)."""
    verdict = with_control(all_of(claims), sound(history))
    observed = verdict.observed
    if verdict.outcome is Outcome.PASS:
        observed = "; ".join(one.observed for one in claims)
    return replace(verdict, observed=observed, evidence=figures(history))


def told_of(history: History) -> str:
    """What was lost, in words."""
    lost = history.lost
    if not lost:
        return f"none of {len(history.calls)} calls was lost"
    outage = history.outage
    longest = f"; the longest outage {outage.seconds:.1f} s from {outage.caller}" if outage else ""
    return (
        f"{len(lost)} of {len(history.calls)} calls were lost ({kinds_of_loss(lost)}), from "
        f"{history.relative(lost[0].at)} to {history.relative(lost[-1].at)}{longest}"
    )


def figures(history: History) -> dict[str, str]:
    """What a stream came to, by name, for people."""
    again = sum(1 for one in history.calls if one.log is not None and one.log.attempts > 1)
    found = {f"latency {name}": latency(calls) for name, calls in history.phases.items() if calls}
    done = "; ".join(
        f"{one.what} ({one.begin - history.begin:.1f} to {one.end - history.begin:.1f} s)"
        for one in history.marks
    )
    return {
        "stream": f"{history.rate:g} calls a second from each of {_callers(history)}, "
        f"{history.end - history.begin:.0f} s",
        **({"done": done} if done else {}),
        **({"sent again by a proxy": f"{again} calls"} if again else {}),
        **({"lost": told_of(history)} if history.lost else {}),
        **found,
    }


def _unsound(calls: tuple[StreamCall, ...], count: int | None, history: History) -> str:
    """Why the calls of one caller tell nothing; "" when they do."""
    if count is None:
        return f"the stream was broken off after {len(calls)} calls"
    if not calls or count != len(calls) or not is_contiguous(one.number for one in calls):
        return f"{len(calls)} of {count} calls are written down"
    unmade = sum(one.unmade for one in calls)
    if unmade:
        return f"{unmade} calls were not made: too many were under way"
    late = sum(one.late > _LATE for one in calls)
    if late > len(calls) * _MAY_BE_LATE:
        return f"{late} of {len(calls)} calls set out too late: this machine was too busy"
    before = [one for one in calls if one.at < history.changed]
    if len(before) < _BEFORE:
        return f"only {len(before)} calls were made before anything was done"
    # What was under way when the change began may have been met by it.
    lost = [one for one in before if one.lost and one.at + one.seconds < history.changed]
    if lost:
        return f"calls were lost before anything was done: {kinds_of_loss(lost)}"
    if without := unlogged(calls):
        told = f"{len(without)} answered calls have no line in the log of their caller's proxy"
        return f"{told}, such as {without[0].number} ({without[0].kind.value})"
    return ""


def _is_of(version: str, call: StreamCall) -> bool:
    return call.version == version


def _callers(history: History) -> str:
    return " and ".join(history.counts)


def _while(history: History) -> str:
    done = ", ".join(one.what for one in history.marks)
    return f"while this is done: {done}" if done else "while nothing is done"


def _after(history: History) -> str:
    done = ", ".join(dict.fromkeys(one.what for one in history.marks))
    return f"after this was done: {done}" if done else "after its end"
