"""Isolation that is not there is noticed: what was opened on purpose fails the claims it breaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, host_refused, kept_out, noticed, reached
from meshproof.faults.lab import hole, masquerading, rewired, unsealed_host
from meshproof.kube.workload import PodWorkload, node_probe
from meshproof.lab import Lab
from meshproof.model import Capability, Pair
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
    "isolation/nodes-kept-out-of-pods",
)
@requires(Capability.ROUTER)
@pytest.mark.bare_lab("east,west", "isolated")
def test_a_hole_in_the_router_is_noticed(
    lab: Lab, echoes: Echoes, pair: Pair, judge: Judge
) -> None:
    """With a hole from one cluster to the other, each claim of isolation fails and names it."""
    caller, called = pair
    echo, control = echoes[called], node_probe(lab.clusters[called])
    asked: list[tuple[PodWorkload, Target]] = [
        (echoes[caller].pod, target)
        for target in (*pod_targets(echo), service_target(echo), node_port_target(echo))
    ]
    here = node_probe(lab.clusters[caller])
    further = [pod_targets(echo)[0], service_target(echo), node_port_target(echo)]
    asked += [(here, one) for one in (kubelet_target(lab.clusters[called]), *further)]
    with rewired(lab, hole(lab, pair)):
        verdicts = [
            kept_out(attempt(lab, here, target, control, patience=PATIENT))
            for here, target in asked
        ]
    judge(noticed(verdicts, f"a way is open from {caller} to {called}"))


@proves("isolation/flat-kubelets-kept-out")
@requires(Capability.ROUTER)
@pytest.mark.bare_lab("east,west", "flat")
def test_a_hole_beside_a_flat_network_is_noticed(lab: Lab, pair: Pair, judge: Judge) -> None:
    """With a hole between flat clusters, the claim that kubelets stay out of reach fails and names
    it."""
    here, there = (node_probe(lab.clusters[name]) for name in pair)
    target = kubelet_target(lab.clusters[pair[1]])
    with rewired(lab, hole(lab, pair)):
        verdict = kept_out(attempt(lab, here, target, there, patience=PATIENT))
    judge(noticed([verdict], f"a way is open from {pair[0]} to {pair[1]}"))


@proves("isolation/same-ranges-node-ports-kept-out")
@requires(Capability.ROUTER)
@pytest.mark.bare_lab("east=same,west=same", "isolated")
def test_a_hole_between_the_same_ranges_is_noticed(
    lab: Lab, echoes: Echoes, pair: Pair, judge: Judge
) -> None:
    """With a hole between clusters of the same ranges, the claim of NodePorts fails and names
    it."""
    caller, called = (echoes[name] for name in pair)
    with rewired(lab, hole(lab, pair)):
        tried = attempt(lab, caller.pod, node_port_target(called), called.pod, patience=PATIENT)
    judge(noticed([kept_out(tried)], f"a way is open from {pair[0]} to {pair[1]}"))


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
