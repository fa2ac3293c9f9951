"""Isolation that is not there is noticed: what was opened on purpose fails the claims it breaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, host_refused, kept_out, noticed, reached
from meshproof.faults.lab import masquerading, unsealed_host
from meshproof.kube.workload import Workload, node_probe
from meshproof.lab import Lab
from meshproof.model import Capability, Flow, Pair, Wiring
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic import PATIENT, Target, attempt, detour
from meshproof.workloads import Echo
from suites.isolation.targets import (
    api_target,
    kubelet_target,
    node_port_target,
    pod_targets,
    service_target,
)

Echoes = dict[str, Echo]
Judge = Callable[[Verdict], None]


@proves(
    "isolation/pods-kept-out",
    "isolation/services-kept-out",
    "isolation/node-ports-kept-out",
    "isolation/kubelets-kept-out",
)
@requires(Capability.ROUTER)
@pytest.mark.bare_lab("east,west", "isolated")
def test_a_hole_in_the_router_is_noticed(
    lab: Lab, echoes: Echoes, pair: Pair, judge: Judge
) -> None:
    """With a hole from one cluster to the other, each claim of isolation fails and names it."""
    caller, called = pair
    hole = Wiring(f"a hole from {caller} to {called}", {pair: frozenset({Flow.ANYTHING})})
    echo, control = echoes[called], node_probe(lab.clusters[called])
    asked: list[tuple[Workload, Target]] = [
        (echoes[caller].pod, target)
        for target in (*pod_targets(echo), service_target(echo), node_port_target(echo))
    ]
    asked.append((node_probe(lab.clusters[caller]), kubelet_target(lab.clusters[called])))
    before = lab.wiring
    try:
        lab.rewire(hole)
        verdicts = [
            kept_out(attempt(lab, here, target, control, patience=PATIENT))
            for here, target in asked
        ]
    finally:
        lab.rewire(before)
    judge(noticed(verdicts, f"a way is open from {caller} to {called}"))


@proves("isolation/host-is-no-path")
@requires(Capability.ROUTER, Capability.NODES)
@pytest.mark.bare_lab("east,west", "isolated")
def test_a_host_that_forwards_is_noticed(lab: Lab, pair: Pair, judge: Judge) -> None:
    """With the host's rules opened, the claim that the host is no path fails and says so."""
    caller, called = (lab.clusters[name] for name in pair)
    with unsealed_host(lab):
        verdict = host_refused(detour(lab, caller, api_target(called)))
    judge(noticed([verdict], "the host is a way"))


@proves("isolation/flat-pods-reach-pods")
@requires(Capability.ROUTER, Capability.NODES)
@pytest.mark.bare_lab("east,west", "flat")
def test_hidden_addresses_are_noticed(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """With pods hidden behind their node, the claim of a flat network fails and names the node."""
    caller, called = (echoes[name] for name in pair)
    heard = called.answer_to(caller.pod.address)
    control = node_probe(lab.clusters[pair[1]])
    with masquerading(lab, pair[0]):
        asked = [
            attempt(lab, caller.pod, t, control, patience=PATIENT) for t in pod_targets(called)
        ]
    verdicts = [reached(one, "pod", answer=heard) for one in asked]
    judge(noticed(verdicts, called.answer_to(caller.pod.node.address)))
