"""What the wire counted while something was done is recorded, the most first."""

from __future__ import annotations

from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any

from meshproof.events import Event, Recorder
from meshproof.lab.network import Counters
from meshproof.lab.network.counters import FlowKey
from meshproof.schema import is_as_recorded
from meshproof.traffic.wire import counted_since

FLOW = FlowKey(IPv4Address("10.10.0.7"), IPv4Address("172.30.1.200"), 15443)


def test_what_was_counted_meanwhile_is_recorded_and_given() -> None:
    events: list[Event] = []
    places = {("east_to_west", "gateway"): 9, ("east", "tls"): 4, ("west", "tls"): 7}
    now = Counters(places, {("east_to_west", "tls", FLOW): 6})
    before = Counters({("east_to_west", "gateway"): 4, ("west", "tls"): 7})
    lab: Any = SimpleNamespace(counters=lambda: now, recorder=Recorder(listeners=[events.append]))
    assert counted_since(lab, before) == now - before
    (event,) = events
    assert event.data["packets"] == [
        {"place": "east_to_west", "kind": "gateway", "packets": 5},
        {"place": "east", "kind": "tls", "packets": 4},
    ]
    assert event.data["flows"] == [
        {
            "place": "east_to_west",
            "kind": "tls",
            "source": "10.10.0.7",
            "target": "172.30.1.200:15443",
            "packets": 6,
        }
    ]
    assert is_as_recorded(event.kind, event.data)


def test_nothing_counted_is_recorded_too() -> None:
    events: list[Event] = []
    lab: Any = SimpleNamespace(counters=Counters, recorder=Recorder(listeners=[events.append]))
    counted_since(lab, Counters())
    assert [one.data for one in events] == [{"packets": [], "flows": []}]
