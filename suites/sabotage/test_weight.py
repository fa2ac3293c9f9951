"""Instances that are not there are noticed by the weight that is missing."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.expect import Verdict, noticed
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.endpoints import pods_of
from meshproof.traffic.settle import healed
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import scaled, usual
from suites.sabotage.shown import forgotten, require_pods
from suites.weight.claims import compared, instances, shares_follow, weights_follow


@proves("weight/follows-the-instances")
@requires(Capability.NODES)
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
def test_a_share_without_instances_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With its usual instances, the claim of a version's larger share of the calls fails."""
    version = compared(sample)
    counts = instances(sample, {version: usual(sample, version) + 2})
    judge(noticed([shares_follow(sample, version, counts)], f"answered by {version}: "))
