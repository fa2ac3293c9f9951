"""What came of a stream of calls: each call with its time, what was done meanwhile, and what can be
reckoned from both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from meshproof.traffic.access_log import LogLine
from meshproof.traffic.response import Refused

_OK = 200


class CallKind(StrEnum):
    """How a call of a stream is made: by HTTP, or by TCP, which has no requests but connections;
    over a connection that is kept from call to call, or one of its own."""

    HTTP_KEPT = "http-kept"
    HTTP_FRESH = "http-fresh"
    TCP_KEPT = "tcp-kept"
    TCP_FRESH = "tcp-fresh"

    @property
    def is_http(self) -> bool:
        """Whether it is a request, which has an id of its own."""
        return self in (CallKind.HTTP_KEPT, CallKind.HTTP_FRESH)

    @property
    def chooses(self) -> bool:
        """Whether the caller's proxy chooses an endpoint for the call: a TCP connection that is
        kept stays with its own."""
        return self is not CallKind.TCP_KEPT


@dataclass(frozen=True, slots=True)
class StreamCall:
    """One call.

    ``caller``: the cluster that it was made in; ``at``: when it was due, in seconds since the
    epoch; ``late``: by how many seconds it set out later; ``seconds``: from when it was due to its
    end; ``refusal`` and ``said``: how it ended where there is no answer; ``status``: HTTP's, 0 for
    none; ``version`` and ``pod``: as the answer claims; ``cluster``: where that pod runs, "" where
    nobody knows; ``source``: "address:port" of the caller; ``log``: the line of the caller's
    proxy; ``unmade``: it was never made, since too many were under way.
    """

    caller: str
    number: int
    kind: CallKind
    at: float
    late: float
    seconds: float
    refusal: Refused | None = None
    said: str = ""
    status: int = 0
    version: str = ""
    pod: str = ""
    cluster: str = ""
    source: str = ""
    log: LogLine | None = None
    unmade: bool = False

    @property
    def answered(self) -> bool:
        """Whether helloworld answered as it should."""
        fine = self.status == _OK if self.kind.is_http else bool(self.version)
        return fine and self.refusal is None and not self.unmade

    @property
    def sent(self) -> float:
        """When it set out, in seconds since the epoch."""
        return self.at + self.late

    @property
    def over(self) -> float:
        """When it came to its end, in seconds since the epoch."""
        return self.at + self.seconds

    @property
    def lost(self) -> bool:
        """Whether it was made, and not answered as it should."""
        return not self.answered and not self.unmade

    @property
    def ended(self) -> str:
        """How it ended, in words by which such calls are counted."""
        flags = f" {self.log.flags}" if self.log and self.log.flags else ""
        how = self.refusal.value if self.refusal else str(self.status or "no greeting")
        return f"{self.kind.value}: {how}{flags}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when to when, in seconds since the epoch."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Mark:
    """What was done while the stream went on. ``begin``, ``end``: seconds since the epoch."""

    what: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a caller had no answer of some kind. ``begin``: seconds since the epoch."""

    caller: str
    begin: float
    seconds: float


@dataclass(frozen=True)
class History:
    """``calls``: in the order in which they were due; ``counts``: by caller how many calls there
    were in all, None where the stream did not come to its end; ``rate``: calls a second that each
    caller made."""

    calls: Sequence[StreamCall]
    marks: Sequence[Mark]
    counts: Mapping[str, int | None]
    rate: float

    @cached_property
    def lost(self) -> tuple[StreamCall, ...]:
        """The calls that were lost."""
        return tuple(one for one in self.calls if one.lost)

    @property
    def begin(self) -> float:
        """When the first call was due."""
        return self.calls[0].at if self.calls else 0.0

    @property
    def end(self) -> float:
        """When the last call was due."""
        return self.calls[-1].at if self.calls else 0.0

    @property
    def changed(self) -> float:
        """When the first thing was done; the end where nothing was."""
        return min((one.begin for one in self.marks), default=self.end)

    @property
    def done(self) -> float:
        """When the last thing had been done; the end where nothing was."""
        return max((one.end for one in self.marks), default=self.end)

    def of(self, caller: str) -> tuple[StreamCall, ...]:
        """The calls of one caller."""
        return tuple(one for one in self.calls if one.caller == caller)

    def part(self, begin: float, end: float = float("inf")) -> History:
        """The calls that were due from one moment until another, as a history of its own."""
        return History(self.between(begin, end), self.marks, self.counts, self.rate)

    def between(self, begin: float, end: float) -> tuple[StreamCall, ...]:
        """The calls that were due from one moment until another."""
        return tuple(one for one in self.calls if begin <= one.at < end)

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """When something was done, each from its begin to its end."""
        return tuple(Stretch(one.begin, one.end) for one in self.marks)

    @property
    def phases(self) -> dict[str, tuple[StreamCall, ...]]:
        """The calls before anything was done, while it was, and afterwards."""
        return {
            "before": self.between(0, self.changed),
            "during": self.between(self.changed, self.done),
            "after": self.between(self.done, float("inf")),
        }

    @cached_property
    def outage(self) -> Gap | None:
        """The longest time in which a caller's calls of one kind were lost, from the first of them
        until one was answered again; None where none was lost."""
        found = [
            gap
            for caller in self.counts
            for kind in CallKind
            for gap in _outages([one for one in self.of(caller) if one.kind is kind])
        ]
        return max(found, key=lambda one: one.seconds, default=None)

    def relative(self, moment: float) -> str:
        """A moment as people are told of it: how long after the nearest thing before it that was
        done."""
        before = [one for one in self.marks if one.begin <= moment]
        if not before:
            return f"{self.changed - moment:.1f} s before anything was done"
        last = max(before, key=lambda one: one.begin)
        return f"{moment - last.begin:.1f} s after '{last.what}' began"


def kinds_of_loss(calls: Iterable[StreamCall]) -> str:
    """How calls were lost, and how many each way, the most frequent first."""
    counted = Counter(one.ended for one in calls)
    ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{count} x {how}" for how, count in ordered[:6])


def latency(calls: Iterable[StreamCall]) -> str:
    """How long calls that were answered took: the median, and what one in a hundred exceeds."""
    took = sorted(one.seconds for one in calls if one.answered)
    if not took:
        return "none answered"
    median, late = took[len(took) // 2], took[min(len(took) * 99 // 100, len(took) - 1)]
    return f"median {median * 1000:.0f} ms, 99 of 100 within {late * 1000:.0f} ms"


def longest_without(
    calls: Sequence[StreamCall], wanted: Callable[[StreamCall], bool]
) -> Sequence[StreamCall]:
    """The longest run of answered calls, one after the other, that were all answered by somebody
    else than is wanted. Counted are calls for which an endpoint is chosen."""
    choosing = [one for one in calls if one.answered and one.kind.chooses]
    met = [number for number, one in enumerate(choosing) if wanted(one)]
    bounds = pairwise([-1, *met, len(choosing)])
    before, until = max(bounds, key=lambda pair: pair[1] - pair[0])
    return choosing[before + 1 : until]


def _outages(calls: Sequence[StreamCall]) -> Iterable[Gap]:
    """Each time without an answer in calls of one caller and kind."""
    begin: StreamCall | None = None
    for one in calls:
        if one.lost and begin is None:
            begin = one
        elif one.answered and begin is not None:
            yield Gap(one.caller, begin.at, one.at - begin.at)
            begin = None
    if begin is not None:
        yield Gap(begin.caller, begin.at, calls[-1].at - begin.at)


def is_contiguous(numbers: Iterable[int]) -> bool:
    """Whether numbers go from 0 on without a hole, whatever their order."""
    ordered = sorted(numbers)
    return all(second == first + 1 for first, second in pairwise(ordered)) and ordered[:1] == [0]
