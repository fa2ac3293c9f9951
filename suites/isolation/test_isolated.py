"""Clusters on networks of their own: only API servers and gateways are reached."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, host_refused, kept_out, reached, silent
from meshproof.expect.control import as_control
from meshproof.expect.reach import kept_inside
from meshproof.kube.workload import node_probe
from meshproof.lab import Lab
from meshproof.model import Capability, Pair
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic import PATIENT, Target, attempt, detour, probe
from meshproof.traffic.attempt import outward
from meshproof.workloads import Echo
from meshproof.workloads.echo import (
    GATEWAY,
    GATEWAY_SERVICE,
    NAMESPACE,
)
from suites.isolation.targets import (
    api_target,
    asked_at_the_gateway,
    gateway_address,
    kubelet_target,
    node_port_target,
    outside_target,
    pod_targets,
    service_target,
)

pytestmark = pytest.mark.bare_lab("east,west", "isolated")
Echoes = dict[str, Echo]
Judge = Callable[[Verdict], None]


@behaviour("isolation/pods-kept-out", feature="isolation")
@requires(Capability.ROUTER)
def test_pods_do_not_reach_pods(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """Pods do not reach pods of another network."""
    caller, called = (echoes[name] for name in pair)
    control = node_probe(lab.clusters[pair[1]])
    attempts = [attempt(lab, caller.pod, t, control) for t in pod_targets(called)]
    judge(all_of(kept_out(one) for one in attempts))


@behaviour("isolation/nodes-kept-out-of-pods", feature="isolation")
@requires(Capability.ROUTER)
def test_nodes_do_not_reach_pods(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """Nodes reach neither pods nor Services nor NodePorts of another network."""
    here, called = node_probe(lab.clusters[pair[0]]), echoes[pair[1]]
    targets = [pod_targets(called)[0], service_target(called), node_port_target(called)]
    judge(all_of(kept_out(attempt(lab, here, one, called.pod)) for one in targets))


@behaviour("isolation/nothing-outside-reached", feature="isolation")
@requires(Capability.ROUTER)
def test_nothing_outside_is_reached(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """Neither pods nor nodes reach anything outside the lab, though they reach other clusters."""
    caller, called = pair
    callers = (echoes[caller].pod, node_probe(lab.clusters[caller]))
    api = api_target(lab.clusters[called])
    out = [kept_inside(outward(lab, here, outside_target())) for here in callers]
    across = [attempt(lab, here, api, echoes[called].pod, patience=PATIENT) for here in callers]
    judge(all_of([*out, *(as_control(reached(one, "api")) for one in across)]))


@behaviour("isolation/services-kept-out", feature="isolation")
@requires(Capability.ROUTER)
def test_pods_do_not_reach_services(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """Pods do not reach Services of another network."""
    caller, called = (echoes[name] for name in pair)
    judge(kept_out(attempt(lab, caller.pod, service_target(called), called.pod)))


@behaviour("isolation/node-ports-kept-out", feature="isolation")
@requires(Capability.ROUTER)
def test_pods_do_not_reach_node_ports(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """Pods do not reach NodePorts of another network."""
    caller, called = (echoes[name] for name in pair)
    judge(kept_out(attempt(lab, caller.pod, node_port_target(called), called.pod)))


@behaviour("isolation/kubelets-kept-out", feature="isolation")
@requires(Capability.ROUTER)
def test_nodes_do_not_reach_kubelets(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """Nodes do not reach kubelets of another network."""
    caller, called = (lab.clusters[name] for name in pair)
    target = kubelet_target(called)
    judge(kept_out(attempt(lab, node_probe(caller), target, echoes[pair[1]].pod)))


@behaviour("isolation/api-servers-reached", feature="isolation")
@requires(Capability.ROUTER)
def test_api_servers_are_reached(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """API servers of another network are reached, from pods and from nodes."""
    caller, called = pair
    target = api_target(lab.clusters[called])
    callers = (echoes[caller].pod, node_probe(lab.clusters[caller]))
    attempts = [
        attempt(lab, here, target, echoes[called].pod, patience=PATIENT) for here in callers
    ]
    judge(all_of(reached(one, "api") for one in attempts))


@behaviour("isolation/gateways-reached", feature="isolation")
@requires(Capability.ROUTER, Capability.ASSIGNED_ADDRESSES)
def test_gateways_are_reached(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """Gateway addresses of another network are reached, also after they have moved."""
    caller, called = pair
    addresses = lab.addresses[called]
    with gateway_address(lab, called) as address:
        first = Target("the gateway", address, GATEWAY)
        before = attempt(lab, echoes[caller].pod, first, echoes[called].pod, patience=PATIENT)
        second = Target("the moved gateway", addresses.move(NAMESPACE, GATEWAY_SERVICE), GATEWAY)
        after = attempt(lab, echoes[caller].pod, second, echoes[called].pod, patience=PATIENT)
        old = probe(echoes[caller].pod, first)
    judge(all_of([reached(before, "gateway"), reached(after, "gateway"), silent(first, old)]))


@behaviour("isolation/gateway-ports-only", feature="isolation")
@requires(Capability.ROUTER, Capability.ASSIGNED_ADDRESSES)
def test_only_the_gateways_ports_are_reached(
    lab: Lab, echoes: Echoes, pair: Pair, judge: Judge
) -> None:
    """Of a gateway's ports 15443, 15012, 15017 and 15021 are reached, any other is not."""
    open_ports, closed = asked_at_the_gateway(lab, echoes, pair)
    judge(all_of([*(reached(one, "gateway") for one in open_ports), kept_out(closed)]))


@behaviour("isolation/no-way-without-the-router", feature="isolation")
@requires(Capability.ROUTER)
def test_nothing_answers_without_the_router(
    lab: Lab, echoes: Echoes, pair: Pair, judge: Judge
) -> None:
    """With the router stopped no other cluster answers, not even its API server."""
    caller, called = pair
    target = api_target(lab.clusters[called])
    callers = (echoes[caller].pod, node_probe(lab.clusters[caller]))
    with lab.without_router():
        without = [probe(here, target) for here in callers]
    control = attempt(lab, echoes[caller].pod, target, echoes[called].pod, patience=PATIENT)
    judge(all_of([*(silent(target, answer) for answer in without), reached(control, "api")]))


@behaviour("isolation/host-is-no-path", feature="isolation")
@requires(Capability.ROUTER, Capability.NODES)
def test_the_host_is_no_path(lab: Lab, pair: Pair, judge: Judge) -> None:
    """A node that goes by the host instead of the router gets nowhere: the host refuses."""
    caller, called = (lab.clusters[name] for name in pair)
    target = api_target(called)
    refused = host_refused(detour(lab, caller, target))
    by_router = attempt(lab, node_probe(caller), target, node_probe(called), patience=PATIENT)
    judge(all_of([refused, as_control(reached(by_router, "api"))]))
