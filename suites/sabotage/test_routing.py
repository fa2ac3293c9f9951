"""Routing that is not as claimed is noticed, and so is a TLS mode that lets through what it should
not, or plain text where mTLS is claimed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.mesh.config_dump import takes_tls
from meshproof.mesh.routes import Tls
from meshproof.model import Capability, Mtls
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.policies import enforced
from meshproof.traffic.routing import ruled
from meshproof.traffic.settle import require
from meshproof.workloads.sample import PORT, Sample
from suites.ports.rules import permissive_at
from suites.routing.claims import (
    all_answered_by,
    asked_for_by_name,
    first_and_last,
    shared_by_weight,
    told_apart_by_header,
)
from suites.routing.rules import by_weight, by_wish, in_mode
from suites.routing.tls_claims import (
    encrypted_as_the_mesh_says,
    other_network_is_left_alone,
    own_policy_overrides,
    plain_text_is_not_answered,
    tls_is_not_understood,
    versions_elsewhere,
)
from suites.sabotage.shown import peers, turned

Judge = Callable[[Verdict], None]


@proves("routing/shared-by-weight")
@pytest.mark.several_versions
def test_wrong_weights_are_noticed(sample: Sample, judge: Judge) -> None:
    """With weights of 50 and 50, the claim of 80 % for a version fails and tells its share."""
    most, rest = first_and_last(sample)
    with ruled(sample, by_weight({most: 50, rest: 50})):
        verdict = shared_by_weight(sample, {most: 0.8, rest: 0.2})
    judge(noticed([verdict], f"calls from {sample.clusters[0]}, answered by {most}: "))


@proves("routing/weight-of-zero-gets-nothing")
@pytest.mark.each_shape
@pytest.mark.several_versions
def test_a_weight_that_is_no_zero_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a weight of 1 beside another, the claim that a version gets nothing fails and names
    it."""
    version, other = first_and_last(sample)
    with ruled(sample, by_weight({version: 1, other: 1})):
        verdict = all_answered_by(sample, version)
    judge(noticed([verdict], f"{other} from {sample.versions[other]}"))


@proves("routing/one-version", "routing/one-version-without-mtls", "routing/header-decides")
@pytest.mark.several_versions
def test_a_missing_route_is_noticed(sample: Sample, judge: Judge) -> None:
    """With no VirtualService, the claims that a version answers alone fail and name another."""
    otherwise, version = first_and_last(sample)
    verdicts = [
        all_answered_by(sample, version),
        told_apart_by_header(sample, version, otherwise),
    ]
    judge(noticed(verdicts, f"{otherwise} from {sample.versions[otherwise]}"))


@proves("routing/subset-asked-for-by-name")
@pytest.mark.several_versions
def test_another_subsets_name_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a version reached as another's subset, the claim that it is asked for by its name
    fails."""
    other, version = first_and_last(sample)
    rule, service = by_weight({other: 100})
    rule["spec"]["subsets"][0]["labels"]["version"] = version
    with ruled(sample, [rule, service]):
        verdict = asked_for_by_name(sample, version)
    judge(noticed([verdict], f"outbound_.5000_.{other}_.helloworld"))


@proves("routing/istio-mutual-fails-without-mtls", "routing/plain-text-fails-with-strict-mtls")
@pytest.mark.networks(1)
def test_mtls_that_is_on_is_noticed(sample: Sample, judge: Judge) -> None:
    """With mTLS on after all, the claims that calls end with 503 for want of it fail."""
    with ruled(sample, in_mode(sample, Tls.ISTIO_MUTUAL)):
        verdicts = [tls_is_not_understood(sample), plain_text_is_not_answered(sample)]
    judge(noticed(verdicts, "20 x 200"))


@proves(
    "routing/plain-text-fails-with-strict-mtls", "routing/auto-mtls-encrypts", "paths/local-by-pod"
)
@requires(Capability.ROUTER)
def test_plain_text_is_noticed(sample: Sample, judge: Judge) -> None:
    """With plain text allowed and sent, the claims that it is refused, and of mTLS, fail."""
    with turned(sample, Mtls.PERMISSIVE), ruled(sample, in_mode(sample, Tls.DISABLE)):
        answered = plain_text_is_not_answered(sample)
        encrypted = encrypted_as_the_mesh_says(sample)
    judge(all_of([noticed([answered], "20 x 200"), noticed([encrypted], "0 segments")]))


@proves("routing/subset-has-a-policy-of-its-own")
@pytest.mark.each_shape
@pytest.mark.several_versions
def test_a_subset_without_a_policy_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a rule that says DISABLE for all subsets, the claim that one's own policy overrides it
    fails."""
    versions = sample.common
    with ruled(sample, by_wish(versions, Tls.DISABLE)):
        verdict = own_policy_overrides(sample, versions, versions[-1])
    judge(noticed([verdict], "503"))


@proves("routing/auto-mtls-leaves-plain-text")
@requires(Capability.ROUTER)
@pytest.mark.networks(1)
@pytest.mark.mtls("disabled")
def test_tls_without_mtls_is_noticed(sample: Sample, judge: Judge) -> None:
    """With servers that take TLS and callers who speak it after all, the claim that calls are left
    plain text fails."""
    theirs = {sample.server_identity(name) for name in sample.homes}
    with (
        enforced(sample, [permissive_at(PORT)], partial(takes_tls, port=PORT)),
        ruled(sample, in_mode(sample, Tls.ISTIO_MUTUAL)),
    ):
        for name in sample.clusters:
            look, what = partial(peers, sample, name), f"TLS from {name}"
            require(look, until=lambda seen: bool(seen) and seen <= theirs, what=what)
        verdict = encrypted_as_the_mesh_says(sample)
    judge(noticed([verdict], "0 segments"))


@proves("routing/other-modes-cross-no-network")
@requires(Capability.ROUTER)
@pytest.mark.networks(2)
def test_crossing_to_another_network_is_noticed(sample: Sample, judge: Judge) -> None:
    """With ISTIO_MUTUAL after all, the claim that no call crosses networks fails."""
    with ruled(sample, by_wish(versions_elsewhere(sample), Tls.ISTIO_MUTUAL)):
        verdict = other_network_is_left_alone(sample)
    judge(noticed([verdict], "20 x 200"))
