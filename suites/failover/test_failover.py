"""Failover: to another cluster when what is near is away, and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.failover.claims import goes_over_and_back
from suites.failover.rules import CLUSTER, NETWORK, near_to, over_a_failure

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.several_versions, requires(Capability.NODES)]


# Who promises it: failoverPriority, in LocalityLoadBalancerSetting (see rules.py). The labels of
# cluster and network are those that gateways' endpoints carry as well; of others
# https://github.com/istio/istio/issues/49500 tells, which suites/priority judges.
@behaviour("failover/to-the-other-cluster", feature="change", level="extended")
def test_calls_go_to_the_other_cluster_and_back(sample: Sample, judge: Judge) -> None:
    """Calls that prefer their own cluster are answered by others once its instances have ended, and
    by its own again when they are back; then none is lost."""
    caller = next(one for one in sample.homes if len(sample.reached_from(one)) > 1)
    judge(_goes_over_and_back(sample, caller, CLUSTER))


@pytest.mark.networks(2)
@behaviour("failover/to-the-other-network", feature="change", level="extended")
def test_calls_go_to_the_other_network_and_back(sample: Sample, judge: Judge) -> None:
    """Calls that prefer their own network are answered from others once its instances have ended,
    and by its own again when they are back; then none is lost."""
    caller = next(one for one, _ in sample.pairs(same_network=False) if sample.versions_in(one))
    judge(_goes_over_and_back(sample, caller, NETWORK))


def _goes_over_and_back(sample: Sample, caller: str, label: str) -> Verdict:
    near = near_to(sample, caller, label)
    history = over_a_failure(sample, caller, label)
    return goes_over_and_back(history, caller, near, set(sample.reached_from(caller)) - near)
