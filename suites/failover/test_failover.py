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
from suites.failover.rules import over_a_failure

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.several_versions, requires(Capability.NODES)]


# Who promises it: failoverPriority, in LocalityLoadBalancerSetting (see rules.py). The label of the
# cluster is one of those that gateways' endpoints carry as well.
@behaviour("failover/to-the-other-cluster", feature="change", level="extended")
def test_calls_go_to_the_other_cluster_and_back(sample: Sample, judge: Judge) -> None:
    """Calls that prefer their own cluster are answered by others once its instances have ended, and
    by its own again when they are back; then none is lost."""
    caller = next(one for one in sample.homes if len(sample.reached_from(one)) > 1)
    near = set(sample.versions_in(caller))
    history = over_a_failure(sample, caller)
    judge(goes_over_and_back(history, caller, near, set(sample.reached_from(caller)) - near))
