"""Clusters on one flat network: pods reach pods under their own address."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, kept_out, reached
from meshproof.kube.workload import node_probe
from meshproof.lab import Lab
from meshproof.model import Capability, Pair
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic import PATIENT, attempt
from meshproof.workloads import Echo
from suites.isolation.targets import (
    api_target,
    asked_at_the_gateway,
    kubelet_target,
    pod_targets,
)

pytestmark = pytest.mark.bare_lab("east,west", "flat")
Echoes = dict[str, Echo]
Judge = Callable[[Verdict], None]


@behaviour("isolation/flat-pods-reach-pods", feature="isolation")
@requires(Capability.ROUTER)
def test_pods_reach_pods(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """Pods reach pods of the other cluster, which see the caller's own address."""
    caller, called = (echoes[name] for name in pair)
    heard = called.answer_to(caller.pod.address)
    control = node_probe(lab.clusters[pair[1]])
    attempts = [attempt(lab, caller.pod, t, control, patience=PATIENT) for t in pod_targets(called)]
    judge(all_of(reached(one, "pod", answer=heard) for one in attempts))


@behaviour("isolation/flat-nodes-reach-pods", feature="isolation")
@requires(Capability.ROUTER)
def test_nodes_reach_pods(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """Nodes reach pods of the other cluster, as an API server calling a webhook must."""
    caller, called = lab.clusters[pair[0]], echoes[pair[1]]
    target = pod_targets(called)[0]
    heard = called.answer_to(caller.control_plane.address)
    control = node_probe(lab.clusters[pair[1]])
    judge(
        reached(
            attempt(lab, node_probe(caller), target, control, patience=PATIENT), "pod", answer=heard
        )
    )


@behaviour("isolation/flat-api-servers-reached", feature="isolation")
@requires(Capability.ROUTER)
def test_api_servers_are_reached(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """API servers of the other cluster are reached from pods."""
    caller, called = pair
    target = api_target(lab.clusters[called])
    judge(
        reached(
            attempt(lab, echoes[caller].pod, target, echoes[called].pod, patience=PATIENT),
            "api",
        )
    )


@behaviour("isolation/flat-gateways-reached", feature="isolation")
@requires(Capability.ROUTER, Capability.ASSIGNED_ADDRESSES)
def test_gateways_are_reached_at_their_ports(
    lab: Lab, echoes: Echoes, pair: Pair, judge: Judge
) -> None:
    """On a flat network, too, gateways are reached at their own ports, and at no others."""
    open_ports, closed = asked_at_the_gateway(lab, echoes, pair)
    judge(all_of([*(reached(one, "gateway") for one in open_ports), kept_out(closed)]))


@behaviour("isolation/flat-kubelets-kept-out", feature="isolation")
@requires(Capability.ROUTER)
def test_kubelets_stay_out_of_reach(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """A flat network joins pods, not nodes: kubelets of the other cluster are not reached."""
    caller, called = pair
    target = kubelet_target(lab.clusters[called])
    here = node_probe(lab.clusters[caller])
    judge(kept_out(attempt(lab, here, target, echoes[called].pod)))
