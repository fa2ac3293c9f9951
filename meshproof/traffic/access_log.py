"""What a proxy logged: its access log, and Envoy's own lines of connections that it refused.

Proxies write their logs late: waited is for lines, never for a time.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from meshproof.errors import WaitTimeoutError
from meshproof.kube.workload import PodWorkload, Workload
from meshproof.wait import eventually

WITHIN = 15.0
"""Seconds until a line is there: proxies flush their logs at once, an older Istio's once a second,
on a busy machine later."""
UNMATCHED = "filter_chain_not_found"
"""Envoy's response code detail where no filter chain takes a connection; the flag is NR."""
# A line's own time is when it was written, which is after it happened.
_SLACK = 2
# So many lines of others may have come between.
_OTHERS = 200
_REMOTE = re.compile(r"remote address:([0-9.]+:\d+),(.*)")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of an access log; what is not known is "" or 0. The fields have the names of
    ``ACCESS_LOG`` in meshproof/mesh/operator_config.py, by which proxies write them.

    ``upstream_host``: "address:port" of the endpoint that was chosen; ``upstream_local``: the
    proxy's own end of the connection to it, which is one connection's; ``attempts``: how often the
    request was sent upstream; ``flags``: Envoy's response flags, such as "UH"; ``peer``: the
    SPIFFE URI that a client presented to this proxy; ``upstream_peer``: the one that the server
    presented to it; ``sni``: what the client asked for; ``downstream``: "address:port" of the
    client; ``received``: how many bytes came from it; ``failure``: why its transport failed;
    ``termination``: why a filter ended the connection, such as a policy.
    """

    request_id: str
    status: int
    flags: str
    details: str
    attempts: int
    upstream_host: str
    upstream_cluster: str
    upstream_failure: str
    peer: str
    upstream_peer: str
    sni: str
    tls: str
    downstream: str = ""
    received: int = 0
    failure: str = ""
    termination: str = ""
    upstream_local: str = ""

    @property
    def is_inbound(self) -> bool:
        """Whether it is of what the proxy's own workload was sent."""
        return self.upstream_cluster.startswith("inbound|")

    @property
    def upstream_address(self) -> str:
        """The address part of ``upstream_host``."""
        return self.upstream_host.rpartition(":")[0]

    @property
    def upstream_port(self) -> int:
        """The port part of ``upstream_host``; 0 when there is none."""
        return int(self.upstream_host.rpartition(":")[2] or 0)


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A connection that was not taken: from where, and why. ``source``: "address:port"."""

    source: str
    why: str

    @property
    def address(self) -> str:
        """The address part of ``source``."""
        return self.source.rpartition(":")[0]


@dataclass(frozen=True)
class ProxyLog:
    """The log of a workload's proxy from ``begin`` on. The nodes' clocks are this machine's."""

    workload: PodWorkload
    begin: datetime

    def lines(self) -> list[str]:
        """What is there by now. Raises LabError."""
        age = (datetime.now(UTC) - self.begin).total_seconds()
        text = self.workload.log(since_seconds=math.ceil(age) + _SLACK, timestamps=True)
        stamped = (line.partition(" ") for line in text.splitlines())
        since = self.begin.strftime("%Y-%m-%dT%H:%M:%S.%f")
        return [line for stamp, _, line in stamped if stamp >= since]

    def find(self, wanted: Callable[[str], bool], within: float = WITHIN) -> list[str]:
        """The lines that are wanted, as soon as there is one; [] when none comes ``within`` s."""

        def found() -> list[str]:
            return [line for line in self.lines() if wanted(line)]

        return _await(found, bool, within)

    def find_entries(
        self, wanted: Callable[[LogLine], bool], within: float = WITHIN
    ) -> list[LogLine]:
        """The same for lines of the access log."""

        def found() -> list[LogLine]:
            return [entry for entry in map(read_line, self.lines()) if entry and wanted(entry)]

        return _await(found, bool, within)

    def connections(
        self, cluster: str, enough: Callable[[Sequence[LogLine]], bool], within: float = WITHIN
    ) -> list[LogLine]:
        """The lines of ended connections to Envoy clusters whose name begins so, such as
        "inbound|9000|": once there are enough, or after ``within`` seconds, those that there are
        by then. A connection has no request id."""

        def found() -> list[LogLine]:
            entries = map(read_line, self.lines())
            return [one for one in entries if one and one.upstream_cluster.startswith(cluster)]

        return _await(found, enough, within)

    def turned_away(
        self, enough: Callable[[Sequence[TurnedAway]], bool], within: float = WITHIN
    ) -> list[TurnedAway]:
        """The connections that were not taken: once there are enough, or after ``within``
        seconds, those that there are by then."""
        return _await(lambda: read_turned_away(self.lines()), enough, within)


def find_in_one(
    logs: Sequence[ProxyLog], wanted: Callable[[str], bool], within: float = WITHIN
) -> list[str]:
    """The lines of several proxies that are wanted, as ``ProxyLog.find`` has it."""

    def found() -> list[str]:
        return [line for log in logs for line in log.lines() if wanted(line)]

    return _await(found, bool, within)


def turned_away_by(
    logs: Sequence[ProxyLog],
    enough: Callable[[Sequence[TurnedAway]], bool],
    within: float = WITHIN,
) -> list[TurnedAway]:
    """What one of several proxies did not take, as ``ProxyLog.turned_away`` has it."""

    def found() -> list[TurnedAway]:
        return [one for log in logs for one in read_turned_away(log.lines())]

    return _await(found, enough, within)


def log_from_now(workload: PodWorkload) -> ProxyLog:
    """The log of a workload's proxy from now on."""
    return ProxyLog(workload, datetime.now(UTC))


def entries_of(
    workload: Workload, ids: Sequence[str], within: float = WITHIN
) -> dict[str, LogLine]:
    """The lines of a proxy's access log with these request ids, by the id: all of them, or those
    that there are after ``within`` seconds. Raises LabError."""
    return entries_of_all([workload], ids, within)


def calls_of(workload: Workload, ids: Sequence[str], within: float = WITHIN) -> dict[str, LogLine]:
    """The same of what a workload has sent alone: one that calls itself, as a machine may which is
    an instance of what it calls, has a line of what it has taken as well."""
    return entries_of_all([workload], ids, within, lambda one: not one.is_inbound)


def entries_of_all(
    workloads: Sequence[Workload],
    ids: Sequence[str],
    within: float = WITHIN,
    counts: Callable[[LogLine], bool] = lambda _: True,
) -> dict[str, LogLine]:
    """The same of several proxies, each of which has a part of the lines. ``counts``: which of
    them are meant."""
    wanted = set(ids)

    def found() -> list[LogLine]:
        lines = [entry for one in workloads for entry in _entries_now(one, wanted, len(wanted))]
        return list(filter(counts, lines))

    def all_there(entries: Sequence[LogLine]) -> bool:
        return {entry.request_id for entry in entries} == wanted

    by_id: dict[str, LogLine] = {}
    for entry in _await(found, all_there, within):
        before = by_id.get(entry.request_id)
        # A client that sends a request again, as on a connection that was closed, has a line each.
        attempts = entry.attempts + (before.attempts if before else 0)
        by_id[entry.request_id] = replace(entry, attempts=attempts)
    return by_id


def arrivals(
    workloads: Sequence[Workload], sent: Mapping[str, int], within: float = WITHIN
) -> dict[str, list[tuple[Workload, LogLine]]]:
    """Each line of servers' access logs that a request has, by its id: one for each time that it
    arrived.

    ``sent``: how often each request was sent, by its id: waited is for so many lines, or
    ``within`` seconds. Raises LabError.
    """
    total = sum(sent.values())

    def found() -> list[tuple[Workload, LogLine]]:
        return [(one, entry) for one in workloads for entry in _entries_now(one, sent, total)]

    by_id: dict[str, list[tuple[Workload, LogLine]]] = {name: [] for name in sent}
    for one, entry in _await(found, lambda lines: len(lines) >= total, within):
        by_id[entry.request_id].append((one, entry))
    return by_id


def _entries_now(workload: Workload, wanted: Collection[str], lines: int) -> list[LogLine]:
    """The lines with these request ids among the last of a log. ``lines``: how many there may be
    of them."""
    # By the log's end, which is found at once in however long a log.
    text = workload.log(tail_lines=2 * lines + _OTHERS)
    entries = map(read_line, text.splitlines())
    return [entry for entry in entries if entry and entry.request_id in wanted]


def read_line(raw: str) -> LogLine | None:
    """One line of an access log; None for what is none."""
    if not raw.startswith("{"):
        return None
    try:
        entry: dict[str, Any] = json.loads(raw)
    except json.JSONDecodeError:
        return None
    names = LogLine.__dataclass_fields__
    values = {name: _text(entry.get(name)) for name in names}
    numbers = {name: int(entry.get(name) or 0) for name in ("status", "attempts", "received")}
    return LogLine(**(values | numbers))  # type: ignore[arg-type]


def read_turned_away(lines: Sequence[str]) -> list[TurnedAway]:
    """Of a proxy's log: lines of the access log without a filter chain, and failed handshakes in
    Envoy's debug log."""
    found = []
    for raw in lines:
        entry = read_line(raw)
        if entry is not None and entry.details == UNMATCHED:
            why = f"{entry.flags} {UNMATCHED}: {entry.failure}"
            found.append(TurnedAway(entry.downstream, why))
        elif entry is None and (match := _REMOTE.search(raw)):
            found.append(TurnedAway(match.group(1), match.group(2)))
    return found


def _await(
    look: Callable[[], list[Any]], enough: Callable[[list[Any]], bool], within: float
) -> list[Any]:
    """What is seen once it is enough, or in the end: what is missing is judged by whoever needs
    it."""
    seen: list[Any] = []

    def looked() -> bool:
        seen[:] = look()
        return enough(seen)

    with suppress(WaitTimeoutError):
        eventually(looked, what="lines in a proxy's log", within=within)
    return seen


def _text(value: object) -> str:
    return "" if value is None or value == "-" else str(value)
