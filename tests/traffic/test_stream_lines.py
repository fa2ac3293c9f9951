"""Lines that a stream's program and the caller's proxy print become calls."""

from __future__ import annotations

from meshproof.traffic.response import Refused
from meshproof.traffic.stream_lines import Lines, unlogged
from tests.doubles.streams import printed

NAME = "mp-ab12cd-east"
AT = 1796162400.0  # 2026-12-01T22:00:00Z, two days after the lines' date: never before


def call(number: int, kind: str = "http-kept", **more: object) -> dict[str, object]:
    sure = {"stream": NAME, "n": number, "kind": kind, "at": 1795989600.0 + number}
    told = {"late": 0.0, "seconds": 0.01, "version": "v1", "instance": "helloworld-v1-x"}
    status = {"status": 200} if kind.startswith("http") else {}
    return {**sure, **told, **status, "source": f"10.0.0.9:{40000 + number}", **more}


def access(identity: str | None, **more: object) -> dict[str, object]:
    sure = {"request_id": identity, "status": 200, "flags": "-", "attempts": 1}
    return {**sure, "upstream_host": "10.1.0.3:15443", **more}


def read(*lines: str) -> Lines:
    found = Lines("east", NAME)
    found.take(lines)
    return found


def test_a_request_has_the_line_with_its_id() -> None:
    found = read(
        printed("00.1", call(0)),
        printed("00.2", access(f"{NAME}-0")),
        printed("00.2", access("mp-ab12cd-west-0")),
        printed("00.3", call(1)),
        printed("09.9", {"stream": NAME, "ended": True, "calls": 2}),
    )
    first, second = found.joined({"helloworld-v1-x": "west"})
    assert first.log is not None and first.log.upstream_host == "10.1.0.3:15443"
    assert (first.cluster, first.version, first.answered) == ("west", "v1", True)
    assert unlogged([first, second]) == [second]
    assert found.count == 2


def test_a_line_that_is_read_twice_counts_once() -> None:
    found = Lines("east", NAME)
    for _ in range(2):
        found.take([printed("00.1", call(0)), printed("00.2", access(f"{NAME}-0"))])
    (one,) = found.joined({})
    assert one.log is not None and one.log.attempts == 1


def test_what_a_client_sent_again_is_counted_together() -> None:
    found = read(
        printed("00.1", call(0)),
        printed("00.2", access(f"{NAME}-0", attempts=1)),
        printed("00.3", access(f"{NAME}-0", attempts=2)),
    )
    (one,) = found.joined({})
    assert one.log is not None and one.log.attempts == 3


def test_a_connection_has_the_line_of_its_source_that_ended_after_it_began() -> None:
    found = read(
        printed("00.1", call(0, "tcp-fresh", source="10.0.0.9:1")),
        printed("05.1", call(5, "tcp-fresh", source="10.0.0.9:1")),
        printed("00.2", access(None, downstream="10.0.0.9:1", upstream_host="a:1")),
        printed("05.2", access(None, downstream="10.0.0.9:1", upstream_host="b:1")),
    )
    hosts = [one.log.upstream_host for one in found.joined({}) if one.log]
    assert hosts == ["a:1", "b:1"]


def test_a_connection_whose_source_was_changed_has_a_line_that_is_left_over() -> None:
    found = read(
        printed("00.1", call(0, "tcp-fresh", source="10.0.0.9:1")),
        printed("00.2", access(None, downstream="10.0.0.9:77", upstream_host="a:1")),
        printed("00.3", call(1, "tcp-fresh", source="10.0.0.9:2")),
    )
    first, second = found.joined({})
    assert first.log is not None and first.log.upstream_host == "a:1"
    assert unlogged([first, second]) == [second]


def test_a_line_that_is_left_over_is_rather_of_who_was_answered() -> None:
    lost = {"version": "", "failure": {"kind": "broken", "said": "connection reset by peer"}}
    found = read(
        printed("00.1", call(0, "tcp-fresh", source="10.0.0.9:1", **lost)),
        printed("00.2", call(1, "tcp-fresh", source="10.0.0.9:2")),
        printed("02.1", access(None, downstream="10.0.0.9:77", upstream_host="a:1")),
    )
    first, second = found.joined({})
    assert (first.log, unlogged([first, second])) == (None, [])


def test_a_source_that_was_changed_to_one_that_is_used_as_well() -> None:
    found = read(
        printed("00.1", call(0, "tcp-fresh", source="10.0.0.9:1")),
        printed("00.2", call(1, "tcp-fresh", source="10.0.0.9:2")),
        printed("00.3", access(None, downstream="10.0.0.9:2", upstream_host="b:1")),
        printed("00.4", access(None, downstream="10.0.0.9:2", upstream_host="a:1")),
    )
    assert [one.log.upstream_host for one in found.joined({}) if one.log] == ["a:1", "b:1"]


def test_calls_over_one_connection_have_its_line() -> None:
    found = read(
        printed("00.1", call(0, "tcp-kept", source="10.0.0.9:1")),
        printed("05.1", call(5, "tcp-kept", source="10.0.0.9:1")),
        printed("06.2", access(None, downstream="10.0.0.9:1", upstream_host="a:1")),
    )
    assert [one.log.upstream_host for one in found.joined({}) if one.log] == ["a:1", "a:1"]


def test_how_calls_fail() -> None:
    broke = {"kind": "broken", "said": "EOF"}
    found = read(
        printed("00.1", call(0, status=0, version="", failure=broke)),
        printed("00.2", call(1, status=503, version="")),
        printed("00.3", call(2, "tcp-kept", version="")),
        printed("00.4", call(3, status=0, unmade=True)),
    )
    first, second, third, fourth = found.joined({})
    assert (first.refusal, first.ended) == (Refused.RESET, "http-kept: connection reset")
    assert (second.lost, second.ended) == (True, "http-kept: 503")
    assert (third.lost, third.ended) == (True, "tcp-kept: no greeting")
    assert (fourth.lost, fourth.unmade) == (False, True)


def test_what_is_no_line_of_a_stream_is_passed_over_but_for_what_the_program_says() -> None:
    found = read("", "x", "2026-11-29T22:00:00Z stderr F no", printed("00.1", "[1]"))
    assert (found.calls, found.by_id) == ({}, {})
    found = read(printed("00.1", "probe: a stream needs kinds of calls"))
    assert found.said == "probe: a stream needs kinds of calls"
