"""Weight: instances in several zones behind one gateway are all counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.endpoints import await_pods, pods_amiss, pods_of, usual_pods
from meshproof.traffic.settle import await_healed, converge, healed
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import in_zones, usual
from suites.weight.claims import instances
from suites.weight.zones import ZONES, beyond, gateways_weigh, zones_add_up


# https://github.com/istio/istio/issues/56355: the gateway weighs as much as one zone alone.
@behaviour("weight/zones-behind-one-gateway-add-up", feature="discovery")
@pytest.mark.several_versions
@pytest.mark.topology(
    "multi-primary-split-horizon",
    "hybrid",
    "zones",
    reason="one topology across networks stands for the others",
)
def test_the_zones_behind_one_gateway_add_up(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a version's instances in several zones, its gateway weighs as much as all of them, and
    it answers as many of the calls."""
    version = beyond(sample)
    counts = instances(sample, {version: usual(sample, version) + sum(ZONES.values())})
    try:
        with in_zones(sample, version, ZONES):
            await_pods(sample, pods_of(sample, counts))
            converge(lambda: gateways_weigh(sample, version, counts), what="the weights")
            verdict = zones_add_up(sample, version, counts)
    finally:
        own = usual_pods(sample)
        await_healed(sample, lambda: not pods_amiss(sample, own), "the usual instances alone")
        healed(sample)
    judge(verdict)
