"""Calls that are shared out otherwise than a rule says are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.failover.distribution import CALLS, distributed, shared_out
from suites.sabotage.shown import require_arrived

Judge = Callable[[Verdict], None]


@pytest.mark.several_versions
@proves("failover/shared-out-by-locality")
def test_regions_that_get_as_much_are_noticed(sample: Sample, judge: Judge) -> None:
    """With a rule that gives two regions as much each, the claim that one gets four times as much
    fails and tells the shares."""
    with distributed(sample, (50, 50)):
        require_arrived(sample)
        verdict = shared_out(sample)
    judge(noticed([verdict], f"of {CALLS} calls"))
