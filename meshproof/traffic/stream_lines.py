"""From the lines that a stream's caller and its proxy have printed to calls."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from meshproof.kube.asking import Failed
from meshproof.kube.node_logs import stamped
from meshproof.traffic.access_log import LogLine, read_line
from meshproof.traffic.calls import REFUSALS
from meshproof.traffic.stream_history import CallKind, StreamCall

# Proxy and caller have one clock, and write their lines at their leisure.
_SLACK = 1.0


@dataclass
class Lines:
    """The lines of one caller, as they are read again and again: each counts once."""

    caller: str
    name: str
    seen: set[str] = field(default_factory=set)
    calls: dict[int, StreamCall] = field(default_factory=dict)
    by_id: dict[str, LogLine] = field(default_factory=dict)
    ended: list[tuple[float, LogLine]] = field(default_factory=list)
    """The lines of connections, each with its time: a proxy logs one when it has ended."""
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
        connected = self._of_connections(ordered)
        return [
            replace(
                one,
                log=connected.get(one.number) or self.by_id.get(f"{self.name}-{one.number}"),
                cluster=clusters.get(one.pod, ""),
            )
            for one in ordered
        ]

    def _of_connections(self, calls: Sequence[StreamCall]) -> dict[int, LogLine]:
        """The line of each connection, by the numbers of the calls that were made over it."""
        lines = sorted(self.ended, key=lambda one: one[0])
        by_source: dict[str, deque[tuple[float, LogLine]]] = defaultdict(deque)
        for line in lines:
            by_source[line[1].downstream].append(line)
        found: dict[int, LogLine] = {}
        without = []
        for connection in _connections(calls):
            own = by_source[connection[0].source]
            # A port is used again in the course of time.
            while own and own[0][0] + _SLACK <= connection[-1].at:
                own.popleft()
            if own:
                found |= dict.fromkeys((one.number for one in connection), own.popleft()[1])
            else:
                without.append(connection)
        taken = set(map(id, found.values()))
        left = [one for one in lines if id(one[1]) not in taken]
        return found | _left_over(without, left)

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
            self.ended.append((at, entry))
            return
        before = self.by_id.get(entry.request_id)
        # A client that sends a request again has a line each.
        attempts = entry.attempts + (before.attempts if before else 0)
        self.by_id[entry.request_id] = replace(entry, attempts=attempts)


def _left_over(
    connections: Sequence[Sequence[StreamCall]], lines: Sequence[tuple[float, LogLine]]
) -> dict[int, LogLine]:
    """The lines of connections to which the kernel has given another source on their way to the
    proxy, as their own was taken there: lines that are nobody else's, in turn. Those that were
    answered come first, and have lines that tell of no failure: not every lost one has a line."""
    found: dict[int, LogLine] = {}
    left = list(lines)
    for connection in sorted(connections, key=lambda one: one[-1].lost):
        last = connection[-1]
        due = [one for one in left if one[0] + _SLACK > last.at]
        alike = [one for one in due if last.lost or one[1].flags in ("", "-")]
        if line := next(iter(alike or due), None):
            left.remove(line)
            found |= dict.fromkeys((one.number for one in connection), line[1])
    return found


def unlogged(calls: Sequence[StreamCall]) -> list[StreamCall]:
    """The calls of which the caller's proxy must have a line, and has none: those that were
    answered, as it leads all of them."""
    return [one for one in calls if one.answered and one.log is None]


def _connections(calls: Sequence[StreamCall]) -> list[list[StreamCall]]:
    """The calls by TCP that came to a connection, those that were made over one together, in the
    order in which the connections ended."""
    found: list[list[StreamCall]] = []
    kept: dict[str, list[StreamCall]] = {}
    for one in calls:
        if one.kind.is_http or not one.source:
            continue
        if one.kind is CallKind.TCP_FRESH:
            found.append([one])
            continue
        over = kept.setdefault(one.source, [])
        if not over:
            found.append(over)
        over.append(one)
        if one.lost:  # it is not used again
            del kept[one.source]
    return sorted(found, key=lambda connection: connection[-1].at)


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
