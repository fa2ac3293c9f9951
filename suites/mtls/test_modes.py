"""The other modes, on a strict mesh that is turned to them and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.model import Capability, Mtls
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.settle import mtls_mode
from meshproof.workloads.sample import Sample
from suites.mtls.modes import (
    answered_from_the_other_network,
    callers_with_versions_near,
    crosses_by_the_gateway,
    no_instance_is_left,
    only_its_own_networks_versions_answer,
    services_answer,
    sidecars_encrypt_and_everybody_is_answered,
)

Judge = Callable[[Verdict], None]


@behaviour("mtls/permissive-answers-everybody", feature="security")
@requires(Capability.ROUTER)
def test_permissive_sidecars_encrypt_and_everybody_is_answered(
    sample: Sample, judge: Judge
) -> None:
    """Permissive: sidecars speak mutual TLS to each other, and others are answered as well."""
    with mtls_mode(sample, Mtls.PERMISSIVE):
        judge(sidecars_encrypt_and_everybody_is_answered(sample))


@behaviour("mtls/disabled-crosses-no-network", feature="security")
@requires(Capability.ROUTER)
@pytest.mark.networks(2)
def test_without_mtls_nothing_crosses_networks(sample: Sample, judge: Judge) -> None:
    """Without mTLS nothing crosses networks: near instances answer, and if there are none, 503."""
    names = callers_with_versions_near(sample)
    with services_answer(sample) as before:
        verdicts = [answered_from_the_other_network(before)]
        # The wire must have been seen to carry what it is then claimed not to carry.
        pairs = sample.pairs(same_network=False)
        verdicts += [crosses_by_the_gateway(sample, *pair) for pair in pairs]
        with mtls_mode(sample, Mtls.DISABLED):
            verdicts += [only_its_own_networks_versions_answer(sample, name) for name in names]
            verdicts.append(no_instance_is_left(sample))
    judge(all_of(verdicts))
