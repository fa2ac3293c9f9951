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
from suites.weight.claims import instances, shares_follow, weights_follow


@proves("weight/follows-the-instances")
@requires(Capability.NODES)
def test_fewer_instances_are_noticed(sample: Sample, judge: Callable[[Verdict], None]) -> None:
    """With one instance less than is claimed, the claim of weights fails and tells the weight."""
    version = list(sample.versions)[-1]
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
    version = list(sample.versions)[-1]
    counts = instances(sample, {version: usual(sample, version) + 2})
    culprit = f"calls from {sample.clusters[0]}, answered by {version}: "
    judge(noticed([shares_follow(sample, version, counts)], culprit))
