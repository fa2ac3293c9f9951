"""Strict: whoever has no sidecar, and so no certificate, is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.mesh.config_dump import takes_plain_text
from meshproof.mesh.configuration import configured
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.policies import enforced
from meshproof.workloads.sample import NAMESPACE, OUTSIDE, PORT, Sample
from suites.mtls.outsiders import (
    at_an_undeclared_port,
    at_other_clusters_pods,
    at_other_networks_gateways,
    everybody_is_answered,
    in_its_own_cluster,
    no_service_names_the_port,
    nobody_gets_in_without_a_certificate,
    plain_text_is_turned_away_at_the_gateway,
    strict_alone_refuses,
    turned_away,
)
from suites.mtls.rules import permissive_in

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.managed("too")


@behaviour("mtls/no-sidecar-refused-at-home", feature="security")
def test_in_its_own_cluster_a_caller_without_a_sidecar_is_refused(
    sample: Sample, judge: Judge
) -> None:
    """A caller without a sidecar is refused in its own cluster, and only because mTLS is strict."""
    judge(strict_alone_refuses(sample, in_its_own_cluster(sample)))


@behaviour("mtls/no-sidecar-refused-on-one-network", feature="security")
@pytest.mark.neighbours(1)
def test_on_one_network_a_caller_without_a_sidecar_is_refused_by_the_other_cluster(
    sample: Sample, judge: Judge
) -> None:
    """On one network a caller without a sidecar is refused by the other cluster's pod, too."""
    judge(strict_alone_refuses(sample, at_other_clusters_pods(sample)))


@behaviour("mtls/plain-text-refused-at-gateway", feature="security")
@pytest.mark.neighbours(2)
def test_across_networks_the_gateway_turns_plain_text_away(sample: Sample, judge: Judge) -> None:
    """Across networks a caller without a sidecar is turned away by the other cluster's gateway."""
    judge(plain_text_is_turned_away_at_the_gateway(sample, at_other_networks_gateways(sample)))


@behaviour("mtls/undeclared-port-refuses-plain-text", feature="security", level="extended")
@pytest.mark.each_shape
def test_at_an_undeclared_port_a_caller_without_a_sidecar_is_refused(
    sample: Sample, judge: Judge
) -> None:
    """At a port that no Service names, too, a caller without a sidecar is refused by a strict
    pod."""
    named = no_service_names_the_port(sample)
    judge(all_of([named, strict_alone_refuses(sample, at_an_undeclared_port(sample))]))


@behaviour("mtls/by-namespace", feature="security", level="extended")
@pytest.mark.each_shape
def test_a_namespace_has_a_mode_of_its_own(sample: Sample, judge: Judge) -> None:
    """A PeerAuthentication for a namespace opens its servers to plain text, and no other
    namespace's."""
    calls, opened = in_its_own_cluster(sample), partial(takes_plain_text, port=PORT)
    with configured(sample.mesh, [permissive_in(OUTSIDE)]):
        # What is for another namespace is the older one, and has had its time when helloworld's
        # has come and gone.
        with enforced(sample, [permissive_in(NAMESPACE)], opened):
            answered = everybody_is_answered(sample, calls)
        judge(all_of([answered, turned_away(sample, calls)]))


@pytest.mark.each_topology
@behaviour("mtls/no-certificate-refused", feature="security")
def test_without_a_certificate_nobody_gets_in(sample: Sample, caller: str, judge: Judge) -> None:
    """A caller that speaks TLS as sidecars do, but has no certificate, is refused by the pod."""
    judge(nobody_gets_in_without_a_certificate(sample, caller))
