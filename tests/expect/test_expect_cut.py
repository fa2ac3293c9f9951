"""What was lost to the end of a drain, and what was not, by recorded streams."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.expect.cut import lost_to_drains_alone
from meshproof.traffic.stream_history import CallKind, History, StreamCall
from tests.doubles.streams import BEGIN, Change, history, line_of

IDLE, BUSY = "10.0.0.9:50001", "10.0.0.9:50002"
# The mode is turned from 5.0 to 6.0 s on, as the usual mark has it; a drain ends a second later.


def cut(
    at: float, connection: str = IDLE, flags: str = "UC", kind: CallKind = CallKind.HTTP_KEPT
) -> Change:
    """East's first call of a kind from a moment on ended with its connection."""
    met: list[int] = []

    def changed(call: StreamCall) -> StreamCall:
        due = call.caller == "east" and call.kind is kind and call.at - BEGIN >= at
        if not due or met:
            return call
        met.append(call.number)
        log = line_of("x", status=503, flags=flags, upstream_local=connection)
        return replace(call, status=503, version="", pod="", cluster="", log=log)

    return changed


def over(connection: str, until: float) -> Change:
    """Until a moment east's requests went over a connection, and over another from then on."""

    def changed(call: StreamCall) -> StreamCall:
        used = connection if call.at - BEGIN < until else BUSY
        log = line_of(f"{call.caller}-{call.number}", upstream_local=used)
        return replace(call, log=log) if call.kind.is_http and call.answered else call

    return changed


def told(found: History) -> str:
    verdict = lost_to_drains_alone(found, found.stretches)
    return f"{verdict.outcome.value} {verdict.observed}"


def test_no_loss_is_told_as_such() -> None:
    assert told(history()) == "PASS none of 2000 calls was lost"


def test_a_request_on_a_connection_that_idled_in_a_drain_is_told() -> None:
    found = told(history(cut(6.2), over(IDLE, 5.1)))
    assert found.startswith("PASS 1 of 2000 calls were lost (1 x http-kept: 503 UC)")
    assert found.endswith("all 1 met the end of a connection that had idled in a drain")


@pytest.mark.parametrize(
    "changes",
    [
        (cut(6.2, BUSY), over(IDLE, 5.1)),  # others used that connection meanwhile
        (cut(6.2), over(BUSY, 0)),  # nobody had used that connection before
        (cut(6.2, ""), over("", 5.1)),  # nobody knows which connection it was
        (cut(6.2, flags="UF"), over(IDLE, 5.1)),  # there was no connection
        (cut(6.2, kind=CallKind.TCP_FRESH), over(IDLE, 5.1)),
        (cut(12.0), over(IDLE, 5.1)),  # no drain ended then
        (cut(5.2), over(IDLE, 2.0)),
        (cut(6.2), cut(6.4), over(IDLE, 5.1)),  # the second one, on a connection that had ended
    ],
)
def test_any_other_loss_fails(changes: tuple[Change, ...]) -> None:
    assert told(history(*changes)).startswith("FAIL")
