"""Endpoints: instances that are not ready are none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import Sample
from suites.endpoints.unready import called_at, not_ready
from suites.endpoints.unready_claims import unready_get_no_calls

Judge = Callable[[Verdict], None]
# So much later than the proxies of the instance's own cluster.
_WITHIN = 10.0


# https://github.com/istio/istio/pull/40568: a gateway counts instances that are not ready.
@behaviour("endpoints/unready-get-no-calls", feature="discovery")
@pytest.mark.each_shape
@pytest.mark.several_versions
def test_instances_that_are_not_ready_get_no_calls(
    gating: Sample, sample: Sample, caller: str, target: str, judge: Judge
) -> None:
    """Instances that are not ready get no calls, nor does a gateway that leads to no others."""
    home = sample.versions[target]
    with not_ready(sample, target):
        at_home = f"the end of {target} in {home}"
        converge(lambda: not called_at(sample, home, target), what=at_home)
        gone = f"the end of {target} in {caller}"
        converge(lambda: not called_at(sample, caller, target), what=gone, within=_WITHIN)
        verdict = unready_get_no_calls(sample, caller, target)
    judge(verdict)
