"""The TLS mode of a DestinationRule: what works, what must fail, and how."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.control import with_control
from meshproof.mesh.routes import Tls
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from suites.routing.rules import by_wish, by_wish_but, in_mode
from suites.routing.tls_claims import (
    encrypted_as_the_mesh_says,
    other_network_is_left_alone,
    other_network_is_reached,
    own_policy_overrides,
    plain_text_is_not_answered,
    tls_is_not_understood,
    versions_elsewhere,
    works,
)

Judge = Callable[[Verdict], None]


@behaviour("routing/istio-mutual-works", feature="routing")
def test_istio_mutual_works_with_mtls(sample: Sample, judge: Judge) -> None:
    """A DestinationRule with ISTIO_MUTUAL works on a mesh with mTLS: every version answers."""
    with in_force(sample, in_mode(sample, Tls.ISTIO_MUTUAL)):
        judge(works(sample))


@behaviour("routing/istio-mutual-fails-without-mtls", feature="routing")
@pytest.mark.networks(1)
@pytest.mark.mtls("disabled")
def test_istio_mutual_fails_without_mtls(sample: Sample, judge: Judge) -> None:
    """A DestinationRule with ISTIO_MUTUAL on a mesh with mTLS disabled makes every call a 503."""
    control = works(sample)
    with in_force(sample, in_mode(sample, Tls.ISTIO_MUTUAL)):
        judge(with_control(tls_is_not_understood(sample), control))


@behaviour("routing/plain-text-fails-with-strict-mtls", feature="routing")
def test_plain_text_is_refused_by_strict_mtls(sample: Sample, judge: Judge) -> None:
    """A DestinationRule with DISABLE on a mesh with strict mTLS makes every call a 503."""
    control = works(sample)
    with in_force(sample, in_mode(sample, Tls.DISABLE)):
        judge(with_control(plain_text_is_not_answered(sample), control))


@behaviour("routing/subset-has-a-policy-of-its-own", feature="routing", level="extended")
@pytest.mark.each_shape
@pytest.mark.several_versions
def test_a_subsets_own_policy_overrides_its_rules(sample: Sample, judge: Judge) -> None:
    """A subset whose own policy says ISTIO_MUTUAL is answered though its rule says DISABLE."""
    versions, excepted = sample.common, sample.common[-1]
    control = works(sample)
    with in_force(sample, by_wish_but(versions, excepted)):
        judge(with_control(own_policy_overrides(sample, versions, excepted), control))


@behaviour("routing/auto-mtls-encrypts", feature="routing")
@requires(Capability.ROUTER)
def test_without_a_mode_auto_mtls_encrypts(sample: Sample, judge: Judge) -> None:
    """A DestinationRule without a TLS mode leaves calls TLS on a mesh with mTLS."""
    with in_force(sample, in_mode(sample, None)):
        judge(encrypted_as_the_mesh_says(sample))


@behaviour("routing/auto-mtls-leaves-plain-text", feature="routing")
@requires(Capability.ROUTER)
@pytest.mark.networks(1)
@pytest.mark.mtls("disabled")
def test_without_a_mode_auto_mtls_does_not_encrypt(sample: Sample, judge: Judge) -> None:
    """A DestinationRule without a TLS mode leaves calls plain text on a mesh without mTLS."""
    with in_force(sample, in_mode(sample, None)):
        judge(encrypted_as_the_mesh_says(sample))


@behaviour("routing/other-modes-cross-no-network", feature="routing")
@requires(Capability.ROUTER)
@pytest.mark.networks(2)
def test_other_modes_do_not_cross_networks(sample: Sample, judge: Judge) -> None:
    """With a TLS mode other than ISTIO_MUTUAL, calls to another network are 503, none crosses."""
    # https://github.com/istio/istio/issues/46555: endpoints beyond the gateway must go with it.
    versions = versions_elsewhere(sample)
    with in_force(sample, by_wish(versions, Tls.ISTIO_MUTUAL)):
        control = other_network_is_reached(sample)
    claims = []
    for mode in (Tls.SIMPLE, Tls.DISABLE):
        with in_force(sample, by_wish(versions, mode)):
            claims.append(other_network_is_left_alone(sample))
    judge(with_control(all_of(claims), control))
