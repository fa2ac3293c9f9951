"""A stream as a run's record tells it: what came of the calls in each stretch of time."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.events import Data
from meshproof.traffic.stream_history import History, StreamCall

_MOST = 240
"""Stretches that the time is cut into: as many as people can tell apart in a picture."""
_SHORTEST = 0.25


def timeline(history: History) -> Data:
    """The history in figures.

    ``begin``: seconds since the epoch; ``width``: seconds of each stretch; ``marks``: what was
    done, from when to when, in seconds since the begin; ``lanes``: for each caller how many calls
    each version answered in each stretch, how many were lost, and how many milliseconds the
    slowest answer took.
    """
    seconds = history.end - history.begin
    width = max(seconds / _MOST, _SHORTEST)
    count = int(seconds / width) + 1
    versions = sorted({one.version for one in history.calls if one.answered})
    return {
        "begin": round(history.begin, 3),
        "seconds": round(seconds, 3),
        "width": round(width, 3),
        "rate": history.rate,
        "calls": len(history.calls),
        "lost": len(history.lost),
        "marks": [
            {
                "what": one.what,
                "begin": round(one.begin - history.begin, 3),
                "end": round(one.end - history.begin, 3),
            }
            for one in history.marks
        ],
        "lanes": [
            _lane(caller, history.of(caller), versions, _Cut(history.begin, width, count))
            for caller in history.counts
        ],
    }


class _Cut:
    """How the time is cut."""

    def __init__(self, begin: float, width: float, count: int) -> None:
        self.begin, self.width, self.count = begin, width, count

    def place(self, call: StreamCall) -> int:
        """The stretch that a call was due in."""
        return min(int((call.at - self.begin) / self.width), self.count - 1)


def _lane(caller: str, calls: Sequence[StreamCall], versions: Sequence[str], cut: _Cut) -> Data:
    answered = {version: [0] * cut.count for version in versions}
    lost, slowest = [0] * cut.count, [0] * cut.count
    for one in calls:
        place = cut.place(one)
        if one.lost:
            lost[place] += 1
        elif one.answered:
            answered[one.version][place] += 1
            slowest[place] = max(slowest[place], round(one.seconds * 1000))
    return {"caller": caller, "answered": answered, "lost": lost, "slowest": slowest}
