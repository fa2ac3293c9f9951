"""A node that is cut off, or a way to one that is open, is noticed on clusters of several nodes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.faults.lab import without_route_to
from meshproof.lab import Lab
from meshproof.model import Capability, Flow, Pair, Wiring
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic import PATIENT
from meshproof.workloads import Echo
from suites.isolation.every_node import (
    asked_from_everywhere,
    every_node_is_reached,
    no_node_is_reached,
)
from suites.isolation.test_every_node import CLUSTERS

Echoes = dict[str, tuple[Echo, ...]]
Judge = Callable[[Verdict], None]


@proves("isolation/flat-routing-reaches-every-node")
@requires(Capability.ROUTER)
@pytest.mark.bare_lab(CLUSTERS, "flat", name="bare-nodes")
def test_a_node_without_a_route_is_noticed(
    lab: Lab, echoes_by_node: Echoes, pair: Pair, judge: Judge
) -> None:
    """With the router's route to one node's pods removed, the claim of flat routing fails and names
    the node, and the ways to all others are as they were."""
    cut_off = lab.clusters[pair[1]].nodes[-1]
    with without_route_to(lab, cut_off):
        tried = asked_from_everywhere(lab, echoes_by_node, pair, PATIENT)
    to_it = [one for one in tried if one.target.address in cut_off.pods]
    others = [one for one in tried if one not in to_it]
    broken = noticed([every_node_is_reached(to_it)], cut_off.container)
    judge(all_of([broken, every_node_is_reached(others)]))


@proves("isolation/every-node-kept-out")
@requires(Capability.ROUTER)
@pytest.mark.bare_lab(CLUSTERS, "isolated", name="bare-nodes")
def test_a_way_to_nodes_is_noticed(
    lab: Lab, echoes_by_node: Echoes, pair: Pair, judge: Judge
) -> None:
    """With a hole from one cluster to the other, the claim that no node is reached fails and names
    it, from every node to every node."""
    caller, called = pair
    hole = Wiring(f"a hole from {caller} to {called}", {pair: frozenset({Flow.ANYTHING})})
    before = lab.wiring
    try:
        lab.rewire(hole)
        tried = asked_from_everywhere(lab, echoes_by_node, pair, PATIENT)
    finally:
        lab.rewire(before)
    verdicts = [no_node_is_reached([one]) for one in tried]
    judge(noticed(verdicts, f"a way is open from {caller} to {called}"))
