"""Calls that take another way than by the gateways are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.kube.objects import apply
from meshproof.mesh.config_dump import ROUTES, in_use
from meshproof.mesh.proxy import outbound
from meshproof.runner.behaviours import proves
from meshproof.traffic.policies import enforced, of_policy, principals
from meshproof.traffic.settle import require
from meshproof.workloads.sample import HOST, NAMESPACE, PORT, Sample
from suites.hops.claims import in_and_on, out_by_the_relay, refused_for_the_relay
from suites.hops.outside import known
from suites.hops.proxies import proxies
from suites.hops.ways import BEYOND, INGRESS, denying, short_cut

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@proves("hops/denied-gateway-refused")
def test_a_denied_gateway_of_earlier_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a policy that denies the gateway before the last, whose identity no server sees, the
    claim that what comes by the last is refused fails, and tells that it is answered."""
    policy = denying("denied-before", principals(sample, INGRESS))
    with proxies(sample) as found, enforced(sample, [policy], of_policy(policy)):
        verdict = refused_for_the_relay(sample, found)
    judge(noticed([verdict], "x 200"))


@proves("hops/in-by-ingress-and-on", "hops/out-by-egress")
def test_a_short_cut_is_noticed(sample: Sample, judge: Judge) -> None:
    """With the relay left out, the claims that calls go by it fail, and name who else was there."""
    way = outbound(HOST, PORT)
    with proxies(sample) as found:
        with known(sample, found):
            out = out_by_the_relay(sample, found)
        for name in sample.topology.config_clusters:
            apply(sample.mesh.cluster(name), [short_cut()])
        require(lambda: f'"{way}"' in in_use(found.ingress, ROUTES), what=f"the way to {way}")
        came = in_and_on(sample, found)
        ingress = sample.topology[found.ingress.cluster].mesh.identity(NAMESPACE, INGRESS)
    judge(
        all_of(
            [
                noticed([out], f"went to {outbound(BEYOND, PORT)}"),
                noticed([came], f"calls came by {ingress}"),
            ]
        )
    )
