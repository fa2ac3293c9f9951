"""Streams of calls as they would be recorded, without any cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from meshproof.traffic.access_log import LogLine
from meshproof.traffic.response import Refused
from meshproof.traffic.stream_history import CallKind, History, Mark, StreamCall

BEGIN = 1_800_000_000.0
VERSIONS = ("v1", "v2")
KINDS = tuple(CallKind)
Change = Callable[[StreamCall], StreamCall]


def line_of(identity: str, **fields: object) -> LogLine:
    """A line as a caller's proxy writes it."""
    told = dict.fromkeys(LogLine.__dataclass_fields__, "") | {"request_id": identity}
    known = {"status": 200, "attempts": 1, "upstream_host": "10.0.0.1:5000"}
    return LogLine(**(told | known | fields))  # type: ignore[arg-type]


def made(caller: str, number: int, rate: float) -> StreamCall:
    """A call on a mesh that is as it should be."""
    version = VERSIONS[number // len(KINDS) % len(VERSIONS)]
    kind = KINDS[number % len(KINDS)]
    return StreamCall(
        caller,
        number,
        kind,
        at=BEGIN + number / rate,
        late=0.001,
        seconds=0.01,
        status=200 if kind.is_http else 0,
        version=version,
        pod=f"helloworld-{version}",
        cluster={"v1": "east", "v2": "west"}[version],
        source="10.0.0.9:40000",
        log=line_of(f"{caller}-{number}"),
    )


def history(
    *changes: Change,
    seconds: float = 20.0,
    rate: float = 50.0,
    callers: Sequence[str] = ("east", "west"),
    marks: Sequence[tuple[str, float, float]] = (("rotated", 5.0, 6.0),),
    counts: Mapping[str, int | None] | None = None,
) -> History:
    """A stream, each of whose calls went through all changes. ``marks``: what was done, from when
    to when, in seconds since its begin."""
    number = round(seconds * rate)
    calls = [made(caller, one, rate) for caller in callers for one in range(number)]
    for change in changes:
        calls = [change(one) for one in calls]
    return History(
        sorted(calls, key=lambda one: one.at),
        [Mark(what, BEGIN + begin, BEGIN + end) for what, begin, end in marks],
        counts or dict.fromkeys(callers, number),
        rate,
    )


def within(begin: float, end: float, change: Change) -> Change:
    """The change for calls that are due from one second to another."""

    def changed(call: StreamCall) -> StreamCall:
        return change(call) if begin <= call.at - BEGIN < end else call

    return changed


def of(caller: str, change: Change) -> Change:
    """The change for the calls of one caller."""
    return lambda call: change(call) if call.caller == caller else call


def broken(call: StreamCall) -> StreamCall:
    """The call had no answer: its connection was reset."""
    return replace(call, status=0, version="", pod="", cluster="", refusal=Refused.RESET)


def refused(call: StreamCall) -> StreamCall:
    """Calls by HTTP were answered with 503 by the caller's proxy."""
    if not call.kind.is_http:
        return call
    log = line_of("x", status=503, flags="UF")
    return replace(call, status=503, version="", pod="", cluster="", log=log)


def by(version: str) -> Change:
    """The call was answered by one version."""

    def changed(call: StreamCall) -> StreamCall:
        cluster = {"v1": "east", "v2": "west"}[version]
        return replace(call, version=version, pod=f"helloworld-{version}", cluster=cluster)

    return changed


def logged(**fields: object) -> Change:
    """The caller's proxy has written something else in the call's line."""

    def changed(call: StreamCall) -> StreamCall:
        return replace(call, log=replace(call.log, **fields)) if call.log else call  # type: ignore[arg-type]

    return changed


def unlogged(call: StreamCall) -> StreamCall:
    """The caller's proxy has written no line."""
    return replace(call, log=None)


def printed(moment: str, told: object) -> str:
    """A line in a container's log, as its node keeps it."""
    text = told if isinstance(told, str) else json.dumps(told)
    return f"2026-11-29T22:00:{moment}Z stdout F {text}"
