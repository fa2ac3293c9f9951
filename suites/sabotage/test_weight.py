"""Instances that are not there are noticed by the weight that is missing."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.expect import Verdict, noticed
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import healed
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import scaled
from suites.sabotage.shown import require_weight, weighs_again
from suites.weight.claims import shares_follow, weights_follow


@proves("weight/follows-the-instances")
def test_fewer_instances_are_noticed(sample: Sample, judge: Callable[[Verdict], None]) -> None:
    """With v2 scaled to two, the claim of three fails and tells v2's weight."""
    try:
        with scaled(sample, "v2", 2):
            require_weight(sample, 3)
            verdict = weights_follow(sample, 3)
    finally:
        weighs_again(sample, 2)
        healed(sample)
    judge(noticed([verdict], "v2 weighing 2"))


@proves("weight/follows-the-instances")
def test_a_share_without_instances_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With one v2, the claim of three's share of the calls fails and tells v2's."""
    culprit = f"calls from {sample.clusters[0]}, answered by v2: "
    judge(noticed([shares_follow(sample, 3)], culprit))
