"""From the lines that a stream's caller and its proxy have printed to calls."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from meshproof.kube.asking import Failed
from meshproof.kube.node_logs import stamped
from meshproof.traffic.access_log import LogLine, read_line
from meshproof.traffic.calls import REFUSALS
from meshproof.traffic.stream_history import CallKind, StreamCall

# A proxy logs a connection when it has ended; its clock is the caller's.
_SLACK = 1.0


@dataclass
class Lines:
    """The lines of one caller, as they are read again and again: each counts once."""

    caller: str
    name: str
    seen: set[str] = field(default_factory=set)
    calls: dict[int, StreamCall] = field(default_factory=dict)
    by_id: dict[str, LogLine] = field(default_factory=dict)
    by_source: dict[str, list[tuple[float, LogLine]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    count: int | None = None
    """How many calls there were, once the stream has ended."""
    said: str = ""
    """What the program said that is no line of its own: why it failed."""

    def take(self, lines: Iterable[str]) -> None:
        """Read lines as a node keeps them; those that were read before are passed over."""
        for line in lines:
            if line in self.seen:
                continue
            self.seen.add(line)
            found = stamped(line)
            if found is not None:
                self._take(*found)

    @property
    def latest(self) -> float:
        """When the last call that has come to its end was due; 0 for none."""
        return max((one.at for one in self.calls.values()), default=0.0)

    def joined(self, clusters: Mapping[str, str]) -> list[StreamCall]:
        """The calls, each with the line of the caller's proxy, in order. ``clusters``: where pods
        run, by their names."""
        ordered = [one for _, one in sorted(self.calls.items())]
        known = [replace(one, log=self._line_of(one)) for one in ordered]
        # The kernel gives a connection another source on its way to the proxy where its own is
        # taken there: such lines are left over, and are of those that have none, in turn.
        sources = {one.source for one in ordered}
        others = (lines for source, lines in self.by_source.items() if source not in sources)
        left = iter(sorted((line for lines in others for line in lines), key=lambda one: one[0]))
        return [
            replace(one, log=one.log or _next(left, one), cluster=clusters.get(one.pod, ""))
            for one in known
        ]

    def _take(self, at: float, text: str) -> None:
        told = _json(text)
        if told.get("stream") == self.name:
            if told.get("ended"):
                self.count = told["calls"]
            else:
                self.calls[told["n"]] = _call(self.caller, told)
        elif "request_id" in told and (entry := read_line(text)) is not None:
            self._note(at, entry)
        elif not told:
            self.said = text[:300]

    def _note(self, at: float, entry: LogLine) -> None:
        if not entry.request_id.startswith(f"{self.name}-"):
            self.by_source[entry.downstream].append((at, entry))
            return
        before = self.by_id.get(entry.request_id)
        # A client that sends a request again has a line each.
        attempts = entry.attempts + (before.attempts if before else 0)
        self.by_id[entry.request_id] = replace(entry, attempts=attempts)

    def _line_of(self, call: StreamCall) -> LogLine | None:
        if call.kind.is_http:
            return self.by_id.get(f"{self.name}-{call.number}")
        # A port is used again in the course of time.
        ended = [
            (at, line) for at, line in self.by_source.get(call.source, ()) if at + _SLACK > call.at
        ]
        return min(ended, key=lambda one: one[0])[1] if ended else None


def unlogged(calls: Sequence[StreamCall]) -> list[StreamCall]:
    """The calls of which the caller's proxy must have a line, and has none: those that were
    answered, as it leads all of them."""
    return [one for one in calls if one.answered and one.log is None]


def _next(left: Iterator[tuple[float, LogLine]], call: StreamCall) -> LogLine | None:
    """The next of the lines that are left over, for a connection that has none."""
    if call.kind.is_http or not call.answered:
        return None
    return next((line for at, line in left if at + _SLACK > call.at), None)


def _call(caller: str, told: Mapping[str, Any]) -> StreamCall:
    failure = told.get("failure")
    return StreamCall(
        caller=caller,
        number=told["n"],
        kind=CallKind(told["kind"]),
        at=told["at"],
        late=told.get("late", 0.0),
        seconds=told.get("seconds", 0.0),
        refusal=REFUSALS[Failed(failure["kind"])] if failure else None,
        said=failure["said"] if failure else "",
        status=told.get("status", 0),
        version=told.get("version", ""),
        pod=told.get("instance", ""),
        source=told.get("source", ""),
        unmade=told.get("unmade", False),
    )


def _json(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        return {}
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
