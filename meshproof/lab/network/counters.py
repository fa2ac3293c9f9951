"""What the router and the nodes counted: a snapshot that can be subtracted from a later one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from meshproof.lab.network.rules import chain
from meshproof.model import Pair


@dataclass(frozen=True, slots=True)
class FlowKey:
    """One direction of a conversation: who sent, to whom, to which TCP port."""

    source: IPv4Address
    target: IPv4Address
    port: int


@dataclass(frozen=True)
class Counters:
    """Packets, by place and kind.

    A place is an ordered pair of clusters (counted in the router) or one cluster (counted in
    its nodes, between its own pods). "east_to_outside" is what east sent to addresses that are
    nowhere in the lab, all of it dropped. Kinds: "api", "gateway", "pod", "anything" and "dropped"
    count packets of connections that the first cluster opened; "reply" those that answer;
    "ended" those that went on after a re-wiring and were answered with a reset;
    "tls" and "http" count segments that begin a TLS record or a plain-text HTTP message, in
    whichever direction the connection was opened; "plain" counts all segments with a payload of
    connections that did not begin with a TLS handshake, whatever they carry. ``flows`` has "tls",
    "http", "plain" and "dropped" by conversation; "plain" in both directions under who opened the
    connection.
    """

    packets: Mapping[tuple[str, str], int] = field(default_factory=dict)
    flows: Mapping[tuple[str, str, FlowKey], int] = field(default_factory=dict)

    def between(self, pair: Pair, kind: str) -> int:
        """Packets of ``kind`` that the router saw from the first cluster to the second."""
        return self.packets.get((chain(pair), kind), 0)

    def dropped_for(self, pair: Pair, target: IPv4Address, port: int) -> int:
        """Packets for one target that the router dropped on their way from the first cluster."""
        return self._dropped(lambda place: place == chain(pair), target, port)

    def inside(self, cluster: str, kind: str) -> int:
        """Packets of ``kind`` that the nodes saw between the cluster's own pods."""
        return self.packets.get((cluster, kind), 0)

    def strayed(self, cluster: str, target: IPv4Address, port: int) -> int:
        """Packets for one target that left a cluster and were dropped, wherever they were to go.

        Only this target's count. A cluster sends others too: in a cluster just made CoreDNS calls
        the API by its Service's address, which nobody translates until kube-proxy is at work.
        """
        return self._dropped(lambda place: place.startswith(f"{cluster}_to_"), target, port)

    def conversation(
        self, cluster: str, kind: str, source: IPv4Address, target: IPv4Address, port: int
    ) -> int:
        """Segments of ``kind`` ("tls", "http" or "plain") of one conversation, where a cluster's
        are seen: in its nodes, and in the router between it and others. Elsewhere the same
        addresses may be others'."""
        key = FlowKey(source, target, port)
        found = self.near(cluster, kind).items()
        return sum(count for (_, flow), count in found if flow == key)

    def near(self, cluster: str, kind: str) -> dict[tuple[str, FlowKey], int]:
        """Segments of ``kind`` by place and conversation, where a cluster's are seen."""
        return {
            (place, flow): count
            for (place, k, flow), count in self.flows.items()
            if k == kind and count and passes(place, cluster)
        }

    def _dropped(self, at: Callable[[str], bool], target: IPv4Address, port: int) -> int:
        """Packets for one target that were dropped at some places."""
        return sum(
            count
            for (place, kind, flow), count in self.flows.items()
            if kind == "dropped" and at(place) and (flow.target, flow.port) == (target, port)
        )

    def __sub__(self, earlier: Counters) -> Counters:
        """What was counted since ``earlier``."""
        return Counters(
            {key: count - earlier.packets.get(key, 0) for key, count in self.packets.items()},
            {key: count - earlier.flows.get(key, 0) for key, count in self.flows.items()},
        )

    def __add__(self, other: Counters) -> Counters:
        return Counters(
            dict(Counter(self.packets) + Counter(other.packets)),
            dict(Counter(self.flows) + Counter(other.flows)),
        )

    def __str__(self) -> str:
        seen = sorted((f"{place} {kind}", n) for (place, kind), n in self.packets.items() if n)
        return ", ".join(f"{what}: {n}" for what, n in seen) or "nothing counted"


def passes(place: str, cluster: str) -> bool:
    """Whether what is counted at a place may be a cluster's own: in its nodes, or in the router
    between it and others."""
    here, there = f"{cluster}_to_", f"_to_{cluster}"
    return place == cluster or place.startswith(here) or place.endswith(there)


def parse(listing: str) -> Counters:
    """Read what ``nft -j list table`` printed."""
    packets: dict[tuple[str, str], int] = {}
    flows: dict[tuple[str, str, FlowKey], int] = {}
    for entry in json.loads(listing)["nftables"]:
        if "counter" in entry:
            place, _, kind = _name(entry["counter"]).rpartition("__")
            packets[place, kind] = entry["counter"]["packets"]
        elif "set" in entry and entry["set"]["name"].endswith("_flows"):
            place, _, kind = _name(entry["set"]).removesuffix("_flows").rpartition("__")
            for element in entry["set"].get("elem", []):
                key, count = _element(element)
                flows[place, kind, key] = count
    return Counters(packets, flows)


def _name(entry: dict[str, Any]) -> str:
    """The name that the rules were written for: nft's own begins with an underscore."""
    return str(entry["name"]).removeprefix("_")


def _element(element: dict[str, dict[str, object]]) -> tuple[FlowKey, int]:
    """One element of a dynamic set with a counter, as nft writes it in JSON."""
    inner = element["elem"]
    value, counter = inner["val"], inner["counter"]
    assert isinstance(value, dict)
    assert isinstance(counter, dict)
    source, target, port = value["concat"]
    return FlowKey(IPv4Address(source), IPv4Address(target), int(port)), int(counter["packets"])
