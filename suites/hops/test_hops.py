"""Hops: calls that come in by one gateway, or leave by one, over clusters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.expect.control import with_control
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.policies import enforced, of_policy, principals
from meshproof.workloads.sample import Sample
from suites.hops.claims import in_and_on, out_by_the_relay, refused_for_the_relay
from suites.hops.outside import leaving
from suites.hops.proxies import Proxies
from suites.hops.ways import RELAY, denying

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@behaviour("hops/in-by-ingress-and-on", feature="routing", level="extended")
def test_requests_come_in_and_go_on(hops: Proxies, sample: Sample, judge: Judge) -> None:
    """Requests come in by an ingress gateway and go on over two hops, to another cluster and on."""
    judge(in_and_on(sample, hops))


# Regressions that it is for are of authorization that a gateway goes past, as
# https://github.com/istio/istio/issues/61092; these meshes have no waypoints.
@behaviour("hops/denied-gateway-refused", feature="security", level="extended")
def test_who_comes_by_a_denied_gateway_is_refused(
    hops: Proxies, sample: Sample, judge: Judge
) -> None:
    """A policy that denies a gateway's identity has every version, in every cluster, refuse what
    comes by it, and nobody else."""
    control = in_and_on(sample, hops)
    policy = denying("denied-gateway", principals(sample, RELAY))
    with enforced(sample, [policy], of_policy(policy)):
        verdict = refused_for_the_relay(sample, hops)
    judge(with_control(verdict, control))


@behaviour("hops/out-by-egress", feature="routing", level="extended")
def test_calls_leave_by_an_egress_gateway(hops: Proxies, sample: Sample, judge: Judge) -> None:
    """Calls from every cluster leave the mesh by the egress gateway of one."""
    with leaving(sample, hops):
        judge(out_by_the_relay(sample, hops))
