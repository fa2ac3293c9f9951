"""Judges what a change, or an outage, has cost the calls that went on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.expect.cut import lost_to_drains_alone
from meshproof.expect.loss import (
    all_heard,
    kept_to_ways,
    lost_only_until,
    nobody_missing,
    nothing_lost,
    of_a_stream,
)
from meshproof.expect.verdict import Verdict
from meshproof.traffic.stream_history import Stretch
from meshproof.traffic.stream_over import Found

_AT_THE_END = 15.0
"""Seconds at a stream's end in which all that is there must be heard."""


def unnoticed(found: Found) -> Verdict:
    """PASS when no call was lost, every version answered all the time, requests took no other ways
    than they should, and in the last seconds every pod that there is answered, and none that there
    is not; INCONCLUSIVE where the stream tells nothing (``sound``)."""
    return _undisturbed(found, nothing_lost(found.history))


def unnoticed_but_for_drains(found: Found, replaced: Sequence[Stretch]) -> Verdict:
    """The same where servers' listeners are replaced in some stretches of time: requests that met
    the end of a connection that had idled in a drain may be lost, and are told
    (``lost_to_drains_alone``)."""
    return _undisturbed(found, lost_to_drains_alone(found.history, replaced))


def _undisturbed(found: Found, loss: Verdict) -> Verdict:
    claims = [
        loss,
        nobody_missing(found.history, found.shares, found.behind_one),
        kept_to_ways(found.history, found.ways),
        _all_there(found),
    ]
    return of_a_stream(found.history, claims)


def recovered(found: Found, within: float) -> Verdict:
    """PASS when calls were lost, if at all, no later than so many seconds after the last thing was
    done, every version answered from then on, and in the end every pod; how many were lost is
    told. INCONCLUSIVE as ``unnoticed``."""
    history = found.history
    later = history.part(history.done + within)
    claims = [lost_only_until(history, within)]
    if later.calls:
        claims += [nobody_missing(later, found.shares, found.behind_one), _all_there(found)]
    return of_a_stream(history, claims)


def rode_out(found: Found, within: float) -> Verdict:
    """PASS when every version answered all the time, calls were lost, if at all, no later than so
    many seconds after the last thing was done, and in the end every pod answers; how many were
    lost is told. INCONCLUSIVE as ``unnoticed``."""
    history = found.history
    claims = [
        lost_only_until(history, within),
        nobody_missing(history, found.shares, found.behind_one),
        _all_there(found),
    ]
    return of_a_stream(history, claims)


def _all_there(found: Found) -> Verdict:
    """Whether every pod answers in the last seconds, the newest included."""
    return all_heard(found.history, found.pods, found.history.end - _AT_THE_END, "at the end")
