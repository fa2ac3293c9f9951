"""Clusters of several nodes: what a wiring says holds for the pods on all of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.lab import Lab
from meshproof.model import Capability, Pair
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic import PATIENT
from meshproof.traffic.probe import BRIEF
from meshproof.workloads import Echo
from suites.isolation.every_node import (
    asked_from_everywhere,
    every_node_is_reached,
    no_node_is_reached,
)

CLUSTERS = "east=east-two-nodes,west=west-two-workers"
Echoes = dict[str, tuple[Echo, ...]]
Judge = Callable[[Verdict], None]


@behaviour("isolation/flat-routing-reaches-every-node", feature="isolation")
@requires(Capability.ROUTER)
@pytest.mark.bare_lab(CLUSTERS, "flat", name="bare-nodes")
def test_flat_routing_reaches_every_node(
    lab: Lab, echoes_by_node: Echoes, pair: Pair, judge: Judge
) -> None:
    """Flat routing reaches pods on every node from every node, and they see the caller's own
    address."""
    judge(every_node_is_reached(asked_from_everywhere(lab, echoes_by_node, pair, PATIENT)))


@behaviour("isolation/every-node-kept-out", feature="isolation")
@requires(Capability.ROUTER)
@pytest.mark.bare_lab(CLUSTERS, "isolated", name="bare-nodes")
def test_no_node_is_a_way_in(lab: Lab, echoes_by_node: Echoes, pair: Pair, judge: Judge) -> None:
    """Pods on no node are reached from another network, whichever node the caller is on."""
    judge(no_node_is_reached(asked_from_everywhere(lab, echoes_by_node, pair, BRIEF)))
