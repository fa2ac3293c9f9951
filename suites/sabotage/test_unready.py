"""Instances that get calls although a claim says that they are not ready are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.endpoints.unready import gated
from suites.endpoints.unready_claims import unready_get_no_calls

Judge = Callable[[Verdict], None]


@proves("endpoints/unready-get-no-calls")
@pytest.mark.topology(
    "multi-primary-flat",
    reason="where no gateway stands before an instance, as it does in a known issue",
)
def test_an_instance_that_is_ready_after_all_is_noticed(sample: Sample, judge: Judge) -> None:
    """With all instances ready, the claim that one gets no calls fails and names its pod."""
    with gated(sample):
        verdicts = [unready_get_no_calls(sample, *pair) for pair in sample.topology.pairs]
    judge(all_of(noticed([one], "calls the pod") for one in verdicts))
