"""Weight: an endpoint weighs as much as the instances behind it, also when it is a gateway."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.expect import Verdict, all_of
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.settle import healed
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import scaled
from suites.weight.claims import await_weight, shares_follow, weights_follow


@behaviour("weight/follows-the-instances", feature="discovery")
def test_weights_and_shares_follow_the_instances(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With v2 scaled to three, v2's weight and share of calls are three to one; and back."""
    try:
        with scaled(sample, "v2", 3):
            await_weight(sample, 4)
            three = all_of([weights_follow(sample, 3), shares_follow(sample, 3)])
        await_weight(sample, 2)
        one = all_of([weights_follow(sample, 1), shares_follow(sample, 1)])
    finally:
        healed(sample)
    judge(all_of([three, one]))
