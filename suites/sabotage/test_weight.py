"""Instances that are not there are noticed by the weight that is missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.endpoints import pods_of
from meshproof.traffic.settle import healed
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import in_zones, scaled, usual
from suites.sabotage.shown import forgotten, require_pods
from suites.weight.claims import compared, instances, shares_follow, weights_follow
from suites.weight.zones import ZONES, beyond, zones_add_up


@proves("weight/follows-the-instances")
@requires(Capability.NODES)
@pytest.mark.one_zone
def test_fewer_instances_are_noticed(sample: Sample, judge: Callable[[Verdict], None]) -> None:
    """With one instance less than is claimed, the claim of weights fails and tells the weight."""
    version = compared(sample)
    more = usual(sample, version) + 1
    try:
        with scaled(sample, version, more):
            require_pods(sample, pods_of(sample, instances(sample, {version: more})))
            verdict = weights_follow(sample, instances(sample, {version: more + 1}))
    finally:
        forgotten(sample)
        healed(sample)
    judge(noticed([verdict], f"weighing {more}"))


@proves("weight/follows-the-instances")
@pytest.mark.one_zone
@pytest.mark.several_versions
def test_a_share_without_instances_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With its usual instances, the claim of a version's larger share of the calls fails."""
    version = compared(sample)
    counts = instances(sample, {version: usual(sample, version) + 2})
    judge(noticed([shares_follow(sample, version, counts)], f"answered by {version}: "))


@proves("weight/zones-behind-one-gateway-add-up")
@pytest.mark.several_versions
@pytest.mark.topology(
    "multi-primary-split-horizon",
    "hybrid",
    "zones",
    reason="one topology across networks stands for the others",
)
def test_an_instance_that_no_zone_has_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With one instance less than is claimed in several zones, the claim that zones add up fails
    and tells the weight that is missing."""
    version = beyond(sample)
    there = usual(sample, version) + sum(ZONES.values())
    claimed = instances(sample, {version: there + 1})
    try:
        with in_zones(sample, version, ZONES):
            require_pods(sample, pods_of(sample, instances(sample, {version: there})))
            verdict = zones_add_up(sample, version, claimed)
    finally:
        forgotten(sample)
        healed(sample)
    judge(noticed([verdict], f"not {there + 1}"))
