"""Several clusters behind one gateway: one of them that goes missing is noticed by its weight.

Calls do not tell: the gateway is configured by its own istiod, so it still leads to every cluster
of its network, whatever the caller's istiod has lost.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.faults.discovery import unread
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import await_healed, healed, require
from meshproof.workloads.sample import Sample
from suites.sabotage.shown import gateway_weights
from suites.weight.claims import instances, weights_follow


# The kind of https://github.com/istio/istio/issues/56355: a gateway that weighs too little.
@proves("weight/follows-the-instances")
@pytest.mark.shared_gateways
def test_a_cluster_lost_behind_a_shared_gateway_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With one remote secret gone, the claim of weights fails and tells what the gateway still
    weighs."""
    caller, version = sample.topology.shared_ways[0]
    there = sample.versions[version]
    reader = sample.mesh.cluster(sample.topology[caller].primary)
    before = gateway_weights(sample, caller, there)
    try:
        with unread(reader, sample.mesh.cluster(there)):
            require(
                lambda: gateway_weights(sample, caller, there),
                until=lambda seen: seen.keys() == before.keys() and seen != before,
                what=f"gateways that weigh less without {there}",
            )
            left = gateway_weights(sample, caller, there)
            verdict = weights_follow(sample, instances(sample))
    finally:
        await_healed(
            sample, lambda: gateway_weights(sample, caller, there) == before, f"{there} known again"
        )
        healed(sample)
    judge(noticed([verdict], next(f"{way} {weight}" for way, weight in left.items())))
