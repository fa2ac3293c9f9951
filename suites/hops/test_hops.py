"""Hops: calls that come in by one gateway, or leave by one, over clusters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.hops.claims import in_and_on, out_by_the_relay
from suites.hops.outside import leaving
from suites.hops.proxies import Proxies

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@behaviour("hops/in-by-ingress-and-on", feature="routing", level="extended")
def test_requests_come_in_and_go_on(hops: Proxies, sample: Sample, judge: Judge) -> None:
    """Requests come in by an ingress gateway and go on over two hops, to another cluster and on."""
    judge(in_and_on(sample, hops))


@behaviour("hops/out-by-egress", feature="routing", level="extended")
def test_calls_leave_by_an_egress_gateway(hops: Proxies, sample: Sample, judge: Judge) -> None:
    """Calls from every cluster leave the mesh by the egress gateway of one."""
    with leaving(sample, hops):
        judge(out_by_the_relay(sample, hops))
