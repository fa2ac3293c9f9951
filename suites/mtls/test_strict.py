"""Strict: whoever has no sidecar, and so no certificate, is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.mtls.outsiders import (
    at_other_clusters_pods,
    at_other_networks_gateways,
    in_its_own_cluster,
    nobody_gets_in_without_a_certificate,
    plain_text_is_turned_away_at_the_gateway,
    strict_alone_refuses,
)

Judge = Callable[[Verdict], None]


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


@behaviour("mtls/no-certificate-refused", feature="security")
def test_without_a_certificate_nobody_gets_in(sample: Sample, caller: str, judge: Judge) -> None:
    """A caller that speaks TLS as sidecars do, but has no certificate, is refused by the pod."""
    judge(nobody_gets_in_without_a_certificate(sample, caller))
