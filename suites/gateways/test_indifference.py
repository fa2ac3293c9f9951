"""Indifference: configuration that is not for the gateway's pass-through does not disturb it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.gateways.far_side import breakable_pair
from suites.gateways.indifference import a_deny_all_changes_nothing, twins_are_accepted

pytestmark = pytest.mark.networks(2)
Judge = Callable[[Verdict], None]


@behaviour("gateways/deny-all-at-gateway-changes-nothing", feature="security")
@requires(Capability.ROUTER)
def test_a_deny_all_at_the_gateway_changes_nothing(sample: Sample, judge: Judge) -> None:
    """An AuthorizationPolicy that denies all at the gateway keeps no call from its workloads."""
    # Not at a primary's gateway: a remote's proxies reach istiod there, and the policy cuts them.
    judge(a_deny_all_changes_nothing(sample, *breakable_pair(sample)))


@behaviour("gateways/twin-subsets-accepted", feature="multi-network")
def test_twin_subsets_are_accepted(sample: Sample, caller: str, target: str, judge: Judge) -> None:
    """Subsets with the same labels leave the gateway's configuration accepted, and calls go on."""
    judge(twins_are_accepted(sample, caller, target))
