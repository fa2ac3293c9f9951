"""A gateway that reads what it should pass on is noticed in the traces."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.mesh.config_dump import LISTENERS, in_use
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import require
from meshproof.workloads.sample import Sample
from suites.gateways.far_side import breakable_pair, far_side
from suites.sabotage.shown import terminating
from suites.traces.claims import PLACE, the_gateway_is_in_no_trace, traced


@proves("traces/gateway-in-no-trace", "traces/across-meshes")
@pytest.mark.networks(2)
def test_a_terminating_gateway_is_noticed_in_traces(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a gateway that ends TLS, the claim that it is in no trace fails and names it."""
    caller, target = breakable_pair(sample)
    far = far_side(sample, caller, target)
    with traced(sample) as sinks, terminating(sample, caller, far):
        reports = f"tracing in the listeners of {far.gateway}"
        require(lambda: PLACE in in_use(far.gateway, LISTENERS), what=reports)
        verdict = the_gateway_is_in_no_trace(sample, caller, target, sinks)
    judge(noticed([verdict], "router~"))
