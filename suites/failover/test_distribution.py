"""Distribution by locality: how many calls each region gets, near or far."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.failover.distribution import distributed, shared_out

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
