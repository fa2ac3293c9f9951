"""A gateway that reads what it should pass on is noticed in the traces."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.lab.objects import apply
from meshproof.mesh.gateways import GATEWAY_IDENTITY
from meshproof.mesh.manifests import cross_network_gateway
from meshproof.traffic.settle import converge, healed
from meshproof.workloads.sample import Sample
from suites.gateways.far_side import far_side
from suites.gateways.manifests import configured
from suites.sabotage import broken_gateways as broken
from suites.traces.claims import the_gateway_is_in_no_trace, traced


@pytest.mark.networks(2)
def test_a_terminating_gateway_is_noticed_in_traces(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a gateway that ends TLS, the claim that it is in no trace fails and names it."""
    caller = sample.clusters[0]
    far = far_side(sample, caller)
    governing = sample.mesh.deployment.topology.configured_by(far.there)
    cluster = sample.mesh.cluster(governing)
    try:
        with traced(sample) as sinks, configured(sample, broken.way_of_the_terminated()):
            apply(cluster, [broken.terminating_gateway()])
            converge(lambda: far.dial().identity == GATEWAY_IDENTITY)
            verdict = the_gateway_is_in_no_trace(sample, caller, sinks)
    finally:
        apply(cluster, [cross_network_gateway()])
        healed(sample)
    judge(noticed([verdict], "router~"))
