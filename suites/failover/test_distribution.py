"""Distribution: how many calls each region gets, near or far, who is nearest, and thin paths."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.failover.distribution import distributed, shared_out
from suites.failover.thin import goes_on_over, over_a_thin_path
from suites.failover.zones import near_rule, nearest_first, over_the_zones

Judge = Callable[[Verdict], None]


# Who promises it: "distribute", in LocalityLoadBalancerSetting,
# https://istio.io/latest/docs/reference/config/networking/destination-rule/.
@pytest.mark.several_versions
@behaviour("failover/shared-out-by-locality", feature="change", level="extended")
def test_calls_are_shared_out_by_locality(sample: Sample, judge: Judge) -> None:
    """With a rule that gives regions shares of the calls, instances there answer as many, in
    whatever cluster they are, and instances elsewhere none."""
    with distributed(sample):
        verdict = shared_out(sample)
    judge(verdict)


# Who promises it: "Locality Failover",
# https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/failover/.
@pytest.mark.several_versions
@behaviour("failover/zone-then-region", feature="change", level="extended")
def test_calls_prefer_their_zone_and_then_their_region(sample: Sample, judge: Judge) -> None:
    """Calls are answered by the instance in their own zone alone, though it is in another cluster;
    when that has ended by the one in their region, and when both have, by all others."""
    judge(nearest_first(over_the_zones(sample, near_rule())))


# Nobody promises a share: it is told ("Istio Multicluster Support": weights do "not account[] for
# network aspects such as latency or bandwidth limits to remote clusters").
@pytest.mark.several_versions
@requires(Capability.NODES, Capability.ROUTER)
@behaviour("failover/over-a-thin-path", feature="change", level="extended")
def test_a_thin_path_is_not_left_out(sample: Sample, judge: Judge) -> None:
    """While little gets into a cluster calls go on to it as well; what share of them, how long they
    took, and how many were lost is told."""
    judge(goes_on_over(*over_a_thin_path(sample)))
