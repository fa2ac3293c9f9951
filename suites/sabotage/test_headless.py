"""Single pods that are not found by name, or where they should not be, are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.runner.behaviours import proves
from meshproof.workloads.dns_sleeps import dns_sleeps
from meshproof.workloads.sample import SLEEP, Sample
from suites.headless.claims import found_by_name, nowhere_by_name
from suites.headless.pool_claims import pools_found_by_name
from suites.headless.pools import full_name as pool_name
from suites.headless.sets import full_name, ordered_pods, pairs

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@proves("headless/single-pods-on-one-network")
@pytest.mark.networks(1)
def test_a_name_without_the_dns_proxy_is_noticed(sample: Sample, judge: Judge) -> None:
    """Without the DNS proxy, the claim that another cluster's pod is found by name fails."""
    caller, there = pairs(sample)[0]
    with ordered_pods(sample):
        verdict = found_by_name(sample, caller, there, app=SLEEP)
    judge(noticed([verdict], f"NXDOMAIN for {SLEEP} of {caller}"))


@proves("headless/no-single-pods-across-networks")
@pytest.mark.networks(2)
def test_a_name_that_is_known_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a pod of its own cluster, the claim that its name is not known fails and tells it."""
    caller = sample.clusters[0]
    with ordered_pods(sample):
        verdict = nowhere_by_name(sample, caller, caller)
    judge(noticed([verdict], f"{full_name(caller)} exists in"))


@proves("headless/pods-of-every-port")
@pytest.mark.networks(1)
def test_pods_that_are_not_there_are_noticed(sample: Sample, judge: Judge) -> None:
    """Without the pods, the claim that each has a name fails, and names the first."""
    caller, there = pairs(sample)[0]
    with dns_sleeps(sample):
        verdict = pools_found_by_name(sample, caller, there)
    judge(noticed([verdict], f"{pool_name('first', there)} is NXDOMAIN"))
