"""What istiods say of the proxies that are connected to them."""

from __future__ import annotations

from typing import Any

from meshproof.traffic.connected import rejected

LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
ENTRIES: list[dict[str, Any]] = [
    {
        "proxy": "sleep-1.sample",
        "resources": {
            LISTENER: {"sent": "b", "acked": "a", "lastError": "no such filter"},
            "type.googleapis.com/envoy.config.cluster.v3.Cluster": {"sent": "b", "acked": "b"},
        },
    },
    {"proxy": "stranger.other", "resources": {LISTENER: {"lastError": "another"}}},
    {"proxy": "sleep-2.sample"},
]


def test_what_the_meshs_own_proxies_reject_is_told() -> None:
    (told,) = rejected(["sleep-1.sample", "sleep-2.sample", "sleep-3.sample"], ENTRIES)
    assert told == "sleep-1.sample has rejected Listener: no such filter"
