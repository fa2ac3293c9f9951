"""A proxy's log: lines of calls, and of connections that it did not take."""

from __future__ import annotations

import json

import pytest

from meshproof.kube.workload import PodWorkload
from meshproof.traffic.access_log import calls_of, entries_of, read_line, read_turned_away
from tests.stand_ins import workload

UNMATCHED = (
    '{"details":"filter_chain_not_found","downstream":"10.10.0.8:40142","flags":"NR",'
    '"failure":"TLS_error|HTTP_REQUEST"}'
)
TAKEN = '{"details":"via_upstream","downstream":"10.10.0.8:40143","flags":"-"}'
HANDSHAKE = (
    "2026-11-21T15:58:21Z\tdebug\tenvoy connection source/common/tls/ssl_socket.cc:322\t"
    '[Tags: "ConnectionId":"506"] remote address:10.20.0.5:46326,TLS_error:|268435648:'
    "PEER_DID_NOT_RETURN_A_CERTIFICATE\tthread=26"
)


def test_only_what_was_turned_away_is_told() -> None:
    unmatched, handshake = read_turned_away([TAKEN, UNMATCHED, HANDSHAKE, "{broken", ""])
    assert (unmatched.source, unmatched.address) == ("10.10.0.8:40142", "10.10.0.8")
    assert "HTTP_REQUEST" in unmatched.why
    assert handshake.address == "10.20.0.5"
    assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" in handshake.why


def test_a_log_line_is_read_and_what_is_none_is_left() -> None:
    entry = {
        "request_id": "mp-1",
        "status": 200,
        "flags": "-",
        "attempts": 1,
        "upstream_host": "172.30.1.200:15443",
        "sni": None,
    }
    line = read_line(json.dumps(entry))
    assert line is not None
    assert (line.upstream_address, line.upstream_port) == ("172.30.1.200", 15443)
    assert (line.flags, line.sni, line.attempts) == ("", "", 1)
    assert read_line("2026-11-21T15:40:14Z info Envoy proxy is ready") is None
    assert read_line('{"cut off": ') is None


def test_a_request_that_was_sent_twice_counts_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    line = json.dumps({"request_id": "mp-1", "status": 200, "attempts": 1})
    other = json.dumps({"request_id": "mp-2", "status": 200, "attempts": 1})
    monkeypatch.setattr(PodWorkload, "log", lambda *_, **__: "\n".join([line, other, line]))
    found = entries_of(workload("sleep", "east"), ["mp-1", "mp-2"])
    assert {name: one.attempts for name, one in found.items()} == {"mp-1": 2, "mp-2": 1}


def test_of_who_calls_himself_only_what_he_has_sent_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = {"request_id": "mp-1", "status": 200, "attempts": 1}
    sent = json.dumps({**told, "upstream_cluster": "outbound|5000||helloworld"})
    taken = json.dumps({**told, "upstream_cluster": "inbound|5000||"})
    monkeypatch.setattr(PodWorkload, "log", lambda *_, **__: "\n".join([taken, sent]))
    asked = workload("sleep", "east"), ["mp-1"]
    assert entries_of(*asked)["mp-1"].attempts == 2
    found = calls_of(*asked)["mp-1"]
    assert (found.attempts, found.upstream_cluster) == (1, "outbound|5000||helloworld")
