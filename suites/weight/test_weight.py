"""Weight: an endpoint weighs as much as the instances behind it, also when it is a gateway."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.endpoints import await_pods, pods_of
from meshproof.traffic.settle import converge, healed
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import scaled, usual
from suites.weight.claims import (
    Instances,
    compared,
    holds,
    instances,
    shares_follow,
    weights_follow,
)


@behaviour("weight/follows-the-instances", feature="discovery")
@requires(Capability.NODES)
# Of several zones zones-behind-one-gateway-add-up tells more.
@pytest.mark.one_zone
def test_weights_and_shares_follow_the_instances(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a version scaled to three, its weight and its share of the calls follow; and back."""
    version = compared(sample)
    more = usual(sample, version) + 2
    try:
        with scaled(sample, version, more):
            many = _claimed(sample, version, {version: more})
        few = _claimed(sample, version, {})
    finally:
        healed(sample)
    judge(all_of([many, few]))


def _claimed(sample: Sample, version: str, others: Instances) -> Verdict:
    """The claims of weights and shares, once the proxies know of the instances."""
    counts = instances(sample, others)
    await_pods(sample, pods_of(sample, counts))
    converge(lambda: weights_follow(sample, counts), until=holds, what="the weights")
    return all_of([weights_follow(sample, counts), shares_follow(sample, version, counts)])
