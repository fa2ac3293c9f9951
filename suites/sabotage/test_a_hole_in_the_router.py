"""Isolation that is not there is noticed: a hole opened in the router fails every claim."""

from __future__ import annotations

import pytest

from meshproof.expect import Outcome, Verdict, kept_out
from meshproof.lab import Lab
from meshproof.lab.spot import Spot, node_spot
from meshproof.model import Flow, Pair, Wiring
from meshproof.traffic import Target, attempt
from meshproof.workloads import Echo
from suites.isolation.targets import kubelet_target, node_port_target, pod_targets, service_target

pytestmark = pytest.mark.ground("east,west", "isolated")


def test_a_hole_in_the_router_is_noticed(lab: Lab, echoes: dict[str, Echo], pair: Pair) -> None:
    """With a hole from one cluster to the other, each claim of isolation fails and names it."""
    caller, called = pair
    hole = Wiring(f"a hole from {caller} to {called}", {pair: frozenset({Flow.ANYTHING})})
    echo = echoes[called]
    asked: list[tuple[Spot, Target]] = [
        (echoes[caller].spot, target)
        for target in (*pod_targets(echo), service_target(echo), node_port_target(echo))
    ]
    asked.append((node_spot(lab.clusters[caller]), kubelet_target(lab.clusters[called])))
    before = lab.wiring
    lab.rewire(hole)
    try:
        verdicts = [kept_out(attempt(lab, spot, target, echo.spot)) for spot, target in asked]
    finally:
        lab.rewire(before)
    missed = [verdict for verdict in verdicts if not _names_the_hole(verdict, pair)]
    assert not missed, "not noticed:\n" + "\n".join(str(verdict) for verdict in missed)


def _names_the_hole(verdict: Verdict, pair: Pair) -> bool:
    culprit = f"a way is open from {' to '.join(pair)}"
    return verdict.outcome is Outcome.FAIL and culprit in verdict.observed
