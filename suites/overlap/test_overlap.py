"""Overlapping ranges: an address that both clusters have leads to the caller's own pod."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.settle import healed
from meshproof.workloads.sample import Sample
from suites.overlap.claims import pods_of_one_address, the_right_instance_answers


# https://github.com/istio/istio/issues/14066: same pod range in both, wrong instances.
@pytest.mark.each_topology
@behaviour("overlap/shared-address-leads-to-own-pod", feature="multi-network")
@requires(Capability.NODES)
@pytest.mark.ranges("same")
def test_where_addresses_are_the_same_the_right_instance_answers(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """Where pods of both clusters have one address, it leads to the caller's own, and the other
    cluster's are reached through its gateway."""
    try:
        with pods_of_one_address(sample) as address:
            verdict = the_right_instance_answers(sample, address)
    finally:
        healed(sample)
    judge(verdict)
