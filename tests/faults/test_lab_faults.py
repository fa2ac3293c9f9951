"""What is done to a lab's router and nodes on purpose, and undone."""

from __future__ import annotations

from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.faults.lab import (
    closed,
    hole,
    open_flows_kept,
    rewired,
    sent_away,
    somebody_outside,
)
from meshproof.lab import Lab
from meshproof.model import Flow, Wiring
from meshproof.model.clusters import FLAT, ISOLATED

PAIR, BACK = ("east", "west"), ("west", "east")
OWN = Wiring("flat", dict.fromkeys((PAIR, BACK), FLAT), gateway_ports=(15443,))


class PlayedLab:
    """Writes down what is done to it, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.wiring = OWN
        self.router = SimpleNamespace(container="router")
        self.engine = SimpleNamespace(exec=self._exec)
        node = SimpleNamespace(nodes=("east-node",), on_node=self._on_node)
        self.clusters = {"east": node}
        self.subnets = {"east": SimpleNamespace(router=IPv4Address("172.30.1.254"))}

    def rewire(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.done.append(f"wired {wiring.name}")

    def _exec(self, container: str, argv: list[str], input: str = "") -> None:
        self.done.append(f"{container}: {input.strip() or ' '.join(argv)}")

    def _on_node(self, node: str, *argv: str, check: bool = True) -> None:
        self.done.append(f"{node}: {' '.join(argv)}")


def played() -> Any:
    return PlayedLab()


def test_a_hole_and_a_closed_way_change_one_direction_and_nothing_else() -> None:
    lab = cast(Lab, played())
    for made, flows in (
        (hole(lab, PAIR), FLAT | {Flow.ANYTHING}),
        (closed(lab, PAIR), frozenset[Flow]()),
    ):
        assert made.between(*PAIR) == flows
        assert made.between(*BACK) == FLAT
        assert made.between("east", "north") == ISOLATED
        assert made.gateway_ports == OWN.gateway_ports
        assert made.name != OWN.name


def test_a_lab_gets_its_own_wiring_back_whatever_happens_meanwhile() -> None:
    lab = played()
    with pytest.raises(ValueError, match="lost"), rewired(lab, Wiring("other")):
        raise ValueError("lost")
    assert lab.done == ["wired other", "wired flat"]


def test_open_flows_pass_before_all_other_rules_until_the_lab_is_wired_anew() -> None:
    lab = played()
    with open_flows_kept(lab):
        (rule,) = lab.done
        assert rule.startswith("router: insert rule inet meshproof forward tcp flags &")
    assert lab.done[1:] == ["wired flat"]


def test_the_router_has_an_address_outside_for_a_while() -> None:
    lab = played()
    with somebody_outside(lab, IPv4Address("198.51.100.9")):
        pass
    where = "198.51.100.9/32 dev nowhere"
    assert lab.done == [f"router: ip address {what} {where}" for what in ("add", "delete")]


def test_an_address_is_sent_to_the_router_before_its_own_route_and_no_more_afterwards() -> None:
    lab = played()
    with sent_away(lab, "east", IPv4Address("10.10.0.5")):
        pass
    where = "10.10.0.5/32 via 172.30.1.254"
    assert lab.done == [
        f"east-node: ip route prepend {where}",
        f"east-node: ip route delete {where}",
    ]
