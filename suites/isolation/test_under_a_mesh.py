"""Isolation while a mesh runs: networks are as apart, or as open, as the topology says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability, Pair
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.isolation.shared_address import shared_target
from suites.isolation.under_mesh import (
    api_server_and_gateway_as_the_topology_says,
    kubelets_are_kept_out,
    pods_are_kept_out,
    pods_are_reached,
    shared_addresses_stay_at_home,
)

Judge = Callable[[Verdict], None]


@behaviour("isolation/mesh-pods-kept-out", feature="isolation")
@requires(Capability.ROUTER)
@pytest.mark.networks(2)
@pytest.mark.ranges("disjoint")
def test_pods_and_services_of_the_other_network_are_kept_out(
    sample: Sample, pair: Pair, judge: Judge
) -> None:
    """Under a mesh, too, neither pods nor Services of another network are reached, nor its pods
    from nodes."""
    judge(pods_are_kept_out(sample, pair))


@pytest.mark.each_topology
@behaviour("isolation/mesh-shared-addresses-stay-at-home", feature="isolation")
@requires(Capability.ROUTER)
@pytest.mark.ranges("same")
def test_calls_to_addresses_of_both_networks_stay_at_home(
    sample: Sample, pair: Pair, judge: Judge
) -> None:
    """Under a mesh, too, calls to pod addresses that both networks have do not leave their own."""
    with shared_target(sample, pair) as target:
        judge(shared_addresses_stay_at_home(sample, pair, target))


@behaviour("isolation/mesh-pods-reached", feature="isolation")
@requires(Capability.ROUTER)
@pytest.mark.networks(1)
def test_pods_on_the_same_network_are_reached(sample: Sample, pair: Pair, judge: Judge) -> None:
    """On one network pods of the other cluster are reached."""
    judge(pods_are_reached(sample, pair))


@behaviour("isolation/mesh-kubelets-kept-out", feature="isolation")
@requires(Capability.ROUTER)
def test_kubelets_are_kept_out(sample: Sample, pair: Pair, judge: Judge) -> None:
    """Under a mesh, too, nodes do not reach kubelets of another cluster."""
    judge(kubelets_are_kept_out(sample, pair))


@behaviour("isolation/mesh-api-servers-and-gateways", feature="isolation")
@requires(Capability.ROUTER)
def test_api_servers_and_gateways_are_reached_as_the_topology_says(
    sample: Sample, pair: Pair, judge: Judge
) -> None:
    """Under a mesh gateways are reached, and API servers by those alone whose istiod reads them."""
    judge(api_server_and_gateway_as_the_topology_says(sample, pair))
