"""Lines of a proxy's log that tell of connections it did not take."""

from __future__ import annotations

from meshproof.traffic.turned_away import read_log

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
    unmatched, handshake = read_log("\n".join([TAKEN, UNMATCHED, HANDSHAKE, "{broken", ""]))
    assert (unmatched.source, unmatched.address) == ("10.10.0.8:40142", "10.10.0.8")
    assert "HTTP_REQUEST" in unmatched.why
    assert handshake.address == "10.20.0.5"
    assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" in handshake.why
