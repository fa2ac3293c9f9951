"""The claims on clusters of several nodes, of what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import EvidenceError
from meshproof.expect import Outcome
from meshproof.kube import Node
from meshproof.lab import Lab
from meshproof.lab.network.counters import Counters, FlowKey
from meshproof.traffic import Answer, Attempt, Refusal, Target
from suites.isolation import every_node
from suites.isolation.every_node import (
    asked_from_everywhere,
    every_node_is_reached,
    no_node_is_reached,
)
from tests.stand_ins import workload

SILENCE = Answer(refusal=Refusal.SILENCE)
ANSWERED = Answer("west hears 10.10.0.5")


def node(name: str, number: int) -> Node:
    pods = IPv4Network(f"10.20.{number}.0/24")
    return Node(name, IPv4Address(f"172.30.1.{number + 2}"), pods, control_plane=number == 0)


def asked(
    to: int, answer: Answer, *, control: Answer = ANSWERED, passed: int = 0, dropped: int = 0
) -> Attempt:
    """One way: from a pod on east's node to the pod on the node ``to`` of west."""
    caller = replace(workload("echo", "east"), node=node("east-node", 0))
    target = Target(f"the pod on west-{to}", IPv4Address(f"10.20.{to}.5"), 80)
    key = FlowKey(caller.address, target.address, target.port)
    counted = Counters(
        {("east_to_west", "pod"): passed}, {("east_to_west", "dropped", key): dropped}
    )
    return Attempt(caller, "west", target, answer, control, counted)


REACHED = [asked(to, ANSWERED, passed=4) for to in range(3)]
KEPT_OUT = [asked(to, SILENCE, dropped=2) for to in range(3)]


def test_all_ways_that_are_there_are_a_pass_of_flat_routing_and_a_fail_of_isolation() -> None:
    assert every_node_is_reached(REACHED).outcome is Outcome.PASS
    verdict = no_node_is_reached(REACHED)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.observed.count("a way is open from east to west") == 3


def test_all_ways_that_are_closed_are_a_pass_of_isolation_and_a_fail_of_flat_routing() -> None:
    assert no_node_is_reached(KEPT_OUT).outcome is Outcome.PASS
    assert every_node_is_reached(KEPT_OUT).outcome is Outcome.FAIL


def test_of_flat_routing_the_node_that_is_not_reached_is_named_and_no_other() -> None:
    verdict = every_node_is_reached([*REACHED[:2], asked(2, SILENCE)])
    assert verdict.outcome is Outcome.FAIL
    assert verdict.observed == (
        f"from east-node to the pod on west-2 at 10.20.2.5:80/tcp: {SILENCE}"
    )


def test_an_address_that_was_translated_is_a_fail_that_tells_it() -> None:
    verdict = every_node_is_reached([asked(1, Answer("west hears 172.30.0.2"), passed=4)])
    assert verdict.outcome is Outcome.FAIL
    assert "west hears 172.30.0.2" in verdict.observed


@pytest.mark.parametrize(
    "one",
    [
        asked(1, SILENCE, control=SILENCE, dropped=2),  # inside as well nobody answers
        asked(1, SILENCE),  # the router dropped nothing
    ],
)
def test_without_a_control_or_a_counted_drop_nothing_is_kept_out(one: Attempt) -> None:
    verdict = no_node_is_reached([*KEPT_OUT, one])
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "the pod on west-1" in verdict.observed


def test_what_failed_is_told_before_what_is_unclear() -> None:
    unclear = asked(0, SILENCE, control=SILENCE)
    assert every_node_is_reached([unclear, asked(1, SILENCE)]).outcome is Outcome.FAIL
    assert every_node_is_reached([unclear, REACHED[1]]).outcome is Outcome.INCONCLUSIVE
    assert every_node_is_reached([]).outcome is Outcome.INCONCLUSIVE


class Echo:
    """An echo on a node of a cluster."""

    def __init__(self, cluster: str, on: Node) -> None:
        self.pod = replace(workload("echo", cluster), node=on, address=on.pods[5])


def echoes(**nodes: int) -> dict[str, Sequence[Any]]:
    return {
        name: [Echo(name, node(f"{name}-{number}", number)) for number in range(count)]
        for name, count in nodes.items()
    }


def lab(**nodes: int) -> Lab:
    footprint = {name: SimpleNamespace(nodes=count) for name, count in nodes.items()}
    clusters = {name: name for name in nodes}
    return cast(Lab, SimpleNamespace(footprint=footprint, clusters=clusters))


def test_every_node_asks_every_other_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ways: list[tuple[str, str, float]] = []

    def attempt(
        lab: object, caller: Any, target: Target, control: object, *, patience: float
    ) -> None:
        assert control == "inside west"
        ways.append((caller.node.container, target.what, patience))

    monkeypatch.setattr(every_node, "attempt", attempt)
    monkeypatch.setattr(every_node, "node_probe", lambda cluster: f"inside {cluster}")
    asked_from_everywhere(lab(east=2, west=3), echoes(east=2, west=3), ("east", "west"), 6.0)
    assert ways == [
        (f"east-{here}", f"the pod on west-{there}", 6.0) for here in range(2) for there in range(3)
    ]


@pytest.mark.parametrize(("found", "whole"), [(1, 1), (2, 3)])
def test_pods_on_one_node_or_not_on_all_prove_nothing(found: int, whole: int) -> None:
    with pytest.raises(EvidenceError, match=f"west has pods on {found} of {whole} nodes"):
        asked_from_everywhere(
            lab(east=2, west=whole), echoes(east=2, west=found), ("east", "west"), 1.0
        )
