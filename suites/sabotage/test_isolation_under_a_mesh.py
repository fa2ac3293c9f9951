"""A way that is open between the networks of a running mesh is noticed, and one that is closed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.faults.lab import closed, hole, rewired, sent_away
from meshproof.model import Capability, Flow, Pair, Wiring, isolated
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic import PATIENT
from meshproof.traffic.settle import healed
from meshproof.workloads.sample import Sample
from suites.isolation.shared_address import shared_target
from suites.isolation.under_mesh import (
    api_server_as_read,
    gateway_is_reached,
    kubelets_are_kept_out,
    pods_are_kept_out,
    pods_are_reached,
    shared_addresses_stay_at_home,
)

Judge = Callable[[Verdict], None]


@proves("isolation/mesh-pods-kept-out", "isolation/mesh-kubelets-kept-out")
@requires(Capability.ROUTER)
@pytest.mark.networks(2)
@pytest.mark.ranges("disjoint")
def test_a_hole_between_the_networks_is_noticed(sample: Sample, pair: Pair, judge: Judge) -> None:
    """With a route opened between isolated networks, the claims of isolation fail and name it."""
    lab, caller = sample.mesh.lab, pair[0]
    own = lab.wiring
    try:
        lab.rewire(Wiring("hole", {pair: frozenset(Flow)}))
        claims = (pods_are_kept_out, kubelets_are_kept_out)
        verdicts = [claim(sample, pair, PATIENT) for claim in claims]
    finally:
        lab.rewire(own)
        healed(sample)
    judge(noticed(verdicts, f"open from {caller} to {pair[1]}"))


@proves("isolation/mesh-shared-addresses-stay-at-home")
@requires(Capability.ROUTER, Capability.NODES)
@pytest.mark.ranges("same")
def test_a_shared_address_that_leaves_is_noticed(sample: Sample, pair: Pair, judge: Judge) -> None:
    """With nodes that send calls to an address of both networks to the router, the claim that they
    stay at home fails."""
    lab = sample.mesh.lab
    try:
        with shared_target(sample, pair) as target, sent_away(lab, pair[0], target.address):
            verdict = shared_addresses_stay_at_home(sample, pair, target)
    finally:
        healed(sample)
    judge(noticed([verdict], "packets went to the router"))


@proves("isolation/mesh-pods-reached")
@requires(Capability.ROUTER)
@pytest.mark.networks(1)
def test_a_cut_network_is_noticed(sample: Sample, pair: Pair, judge: Judge) -> None:
    """With the flat network cut, the claim that its pods are reached fails."""
    lab = sample.mesh.lab
    own = lab.wiring
    try:
        lab.rewire(isolated())
        verdict = pods_are_reached(sample, pair)
    finally:
        lab.rewire(own)
        healed(sample)
    judge(noticed([verdict], "silence"))


@proves("isolation/mesh-api-servers-and-gateways")
@requires(Capability.ROUTER)
@pytest.mark.each_shape
def test_ways_that_are_not_as_the_topology_says_are_noticed(
    sample: Sample, pair: Pair, judge: Judge
) -> None:
    """With API servers and gateways closed that should be reached, and open that should not, the
    claims of both fail."""
    lab, told = sample.mesh.lab, list[Verdict]()
    asked = sample.topology.asks(*pair)
    due = [api_server_as_read] if asked else []
    due += [gateway_is_reached] if sample.mesh.gateway(pair[1]) is not None else []
    try:
        if due:
            with rewired(lab, closed(lab, pair)):
                told.append(noticed([claim(sample, pair) for claim in due], "silence"))
        if not asked:
            with rewired(lab, hole(lab, pair)):
                opened = api_server_as_read(sample, pair)
            told.append(noticed([opened], f"open from {pair[0]} to {pair[1]}"))
    finally:
        healed(sample)
    judge(all_of(told))
