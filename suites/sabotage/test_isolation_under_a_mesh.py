"""A way that is open between the networks of a running mesh is noticed, and one that is closed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.model import Capability, Flow, Pair, Wiring, isolated
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic import PATIENT
from meshproof.traffic.settle import healed
from meshproof.workloads.sample import Sample
from suites.isolation.under_mesh import kubelets_are_kept_out, pods_are_kept_out, pods_are_reached

Judge = Callable[[Verdict], None]


@proves("isolation/mesh-pods-kept-out", "isolation/mesh-kubelets-kept-out")
@requires(Capability.ROUTER)
@pytest.mark.networks(2)
@pytest.mark.ranges("disjoint")
def test_a_hole_between_the_networks_is_noticed(sample: Sample, pair: Pair, judge: Judge) -> None:
    """With a route opened between isolated networks, the claims of isolation fail and name it."""
    lab, caller = sample.mesh.lab, pair[0]
    own = lab.wiring
    hole = Wiring("hole", {pair: frozenset(Flow)})
    try:
        lab.rewire(hole)
        claims = (pods_are_kept_out, kubelets_are_kept_out)
        verdicts = [claim(sample, pair, PATIENT) for claim in claims]
    finally:
        lab.rewire(own)
        healed(sample)
    judge(noticed(verdicts, f"open from {caller} to {pair[1]}"))


@proves("isolation/mesh-pods-reached")
@requires(Capability.ROUTER)
@pytest.mark.networks(1)
def test_a_cut_network_is_noticed(sample: Sample, pair: Pair, judge: Judge) -> None:
    """With the flat network cut, the claim that its pods are reached fails."""
    lab = sample.mesh.lab
    own = lab.wiring
    try:
        lab.rewire(isolated())
        verdict = pods_are_reached(sample, pair)
    finally:
        lab.rewire(own)
        healed(sample)
    judge(noticed([verdict], "silence"))
