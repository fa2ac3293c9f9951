"""Routing that is not as claimed is noticed, and so is a TLS mode that lets through what it should
not, or plain text where mTLS is claimed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.mesh.routes import Tls
from meshproof.model import Mtls
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.routing.claims import (
    all_answered_by,
    asked_for_by_name,
    shared_by_weight,
    told_apart_by_header,
)
from suites.routing.rules import by_weight, by_wish, in_mode
from suites.routing.tls_claims import (
    encrypted_as_the_mesh_says,
    other_network_is_left_alone,
    plain_text_is_not_answered,
    tls_is_not_understood,
)
from suites.sabotage.shown import ruled, turned

Judge = Callable[[Verdict], None]


@proves("routing/shared-by-weight")
def test_wrong_weights_are_noticed(sample: Sample, judge: Judge) -> None:
    """With weights of 50 and 50, the claim of 80 % for v1 fails and tells v1's share."""
    with ruled(sample, by_weight({"v1": 50, "v2": 50})):
        verdict = shared_by_weight(sample, "v1", 0.8)
    judge(noticed([verdict], f"calls from {sample.clusters[0]}, answered by v1: "))


@proves("routing/one-version", "routing/one-version-without-mtls", "routing/header-decides")
def test_a_missing_route_is_noticed(sample: Sample, judge: Judge) -> None:
    """With no VirtualService, the claims that v2 answers alone fail and name v1."""
    verdicts = [
        all_answered_by(sample, "v2"),
        told_apart_by_header(sample, "v2", otherwise="v1"),
    ]
    judge(noticed(verdicts, f"v1 from {sample.plan['v1']}"))


@proves("routing/subset-asked-for-by-name")
def test_another_subsets_name_is_noticed(sample: Sample, judge: Judge) -> None:
    """With v2 reached as subset v1, the claim that it is asked for by its name fails."""
    rule, service = by_weight({"v1": 100})
    for subset, version in zip(rule["spec"]["subsets"], ("v2", "v1"), strict=True):
        subset["labels"]["version"] = version
    with ruled(sample, [rule, service]):
        verdict = asked_for_by_name(sample, "v2")
    judge(noticed([verdict], "outbound_.5000_.v1_.helloworld"))


@proves("routing/istio-mutual-fails-without-mtls", "routing/plain-text-fails-with-strict-mtls")
@pytest.mark.networks(1)
def test_mtls_that_is_on_is_noticed(sample: Sample, judge: Judge) -> None:
    """With mTLS on after all, the claims that calls end with 503 for want of it fail."""
    with ruled(sample, in_mode(Tls.ISTIO_MUTUAL)):
        verdicts = [tls_is_not_understood(sample), plain_text_is_not_answered(sample)]
    judge(noticed(verdicts, "20 x 200"))


@proves(
    "routing/plain-text-fails-with-strict-mtls", "routing/auto-mtls-encrypts", "paths/local-by-pod"
)
def test_plain_text_is_noticed(sample: Sample, judge: Judge) -> None:
    """With plain text allowed and sent, the claims that it is refused, and of mTLS, fail."""
    with turned(sample, Mtls.PERMISSIVE), ruled(sample, in_mode(Tls.DISABLE)):
        answered = plain_text_is_not_answered(sample)
        encrypted = encrypted_as_the_mesh_says(sample)
    judge(all_of([noticed([answered], "20 x 200"), noticed([encrypted], "0 segments")]))


@proves("routing/other-modes-cross-no-network")
@pytest.mark.networks(2)
def test_crossing_to_another_network_is_noticed(sample: Sample, judge: Judge) -> None:
    """With ISTIO_MUTUAL after all, the claim that no call crosses networks fails."""
    with ruled(sample, by_wish(Tls.ISTIO_MUTUAL)):
        verdict = other_network_is_left_alone(sample)
    judge(noticed([verdict], "20 x 200"))
