"""Ways between bare clusters that should be there and are not, or that stay when they should end,
are noticed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import pytest

from meshproof.expect import Verdict, all_of, answered_by, kept_out, noticed, reached, silent
from meshproof.expect.reach import kept_inside, was_reset
from meshproof.faults.lab import closed, open_flows_kept, rewired, sent_away, somebody_outside
from meshproof.kube.workload import node_probe
from meshproof.lab import Lab
from meshproof.model import Capability, Pair, isolated
from meshproof.run.labs import Labs
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic import PATIENT, Target, attempt, probe
from meshproof.traffic.attempt import outward
from meshproof.traffic.conversation import converse
from meshproof.workloads import Echo
from meshproof.workloads.echo import CLOSED_GATEWAY_PORT, GATEWAY, PATIENT_PORT
from suites.isolation.targets import (
    api_target,
    asked_at_the_gateway,
    gateway_address,
    outside_target,
    pod_targets,
)
from suites.isolation.twins import find_twins

Echoes = dict[str, Echo]
Judge = Callable[[Verdict], None]
_SILENCE = "silence"


@proves("isolation/api-servers-reached", "isolation/gateways-reached")
@requires(Capability.ROUTER, Capability.ASSIGNED_ADDRESSES)
@pytest.mark.bare_lab("east,west", "isolated")
def test_a_closed_way_is_noticed(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """With a router that lets nothing through, the claims that API servers and gateways are reached
    fail."""
    caller, called = pair
    pod, inside = echoes[caller].pod, echoes[called].pod
    api = api_target(lab.clusters[called])
    with rewired(lab, closed(lab, pair)), gateway_address(lab, called) as address:
        by_pod, by_node = (
            attempt(lab, here, api, inside) for here in (pod, node_probe(lab.clusters[caller]))
        )
        gateway = attempt(lab, pod, Target("the gateway", address, GATEWAY), inside)
    verdicts = [reached(by_pod, "api"), reached(by_node, "api"), reached(gateway, "gateway")]
    judge(noticed(verdicts, _SILENCE))


@proves("isolation/gateway-ports-only", "isolation/flat-gateways-reached")
@requires(Capability.ROUTER, Capability.ASSIGNED_ADDRESSES)
@pytest.mark.bare_lab("east,west", "isolated", "flat")
def test_other_gateway_ports_are_noticed(
    lab: Lab, echoes: Echoes, pair: Pair, judge: Judge
) -> None:
    """With another port of gateways open than theirs, the claims of both fail: they are not
    reached, and it is."""
    other = replace(lab.wiring, name="another port", gateway_ports=(CLOSED_GATEWAY_PORT,))
    with rewired(lab, other):
        own, further = asked_at_the_gateway(lab, echoes, pair, [GATEWAY], PATIENT)
    missed = noticed([reached(one, "gateway") for one in own], _SILENCE)
    way = f"a way is open from {pair[0]} to {pair[1]}"
    judge(all_of([missed, noticed([kept_out(further)], way)]))


@proves("isolation/nothing-outside-reached")
@requires(Capability.ROUTER)
@pytest.mark.bare_lab("east,west", "isolated")
def test_somebody_outside_is_noticed(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """With an address outside that somebody has, the claim that nothing there is reached fails."""
    target, callers = outside_target(), (echoes[pair[0]].pod, node_probe(lab.clusters[pair[0]]))
    with somebody_outside(lab, target.address):
        tried = [outward(lab, here, target, patience=PATIENT) for here in callers]
    way = f"a way is open from {pair[0]} to the outside"
    judge(noticed([kept_inside(one) for one in tried], way))


@proves("isolation/no-way-without-the-router")
@pytest.mark.bare_lab("east,west", "isolated")
def test_a_router_that_runs_is_noticed(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """With a router that was not stopped, the claim that no other cluster answers fails."""
    target = api_target(lab.clusters[pair[1]])
    callers = (echoes[pair[0]].pod, node_probe(lab.clusters[pair[0]]))
    verdicts = [silent(target, probe(here, target, PATIENT)) for here in callers]
    judge(noticed(verdicts, "the answer"))


@proves("isolation/flat-nodes-reach-pods", "isolation/flat-api-servers-reached")
@requires(Capability.ROUTER)
@pytest.mark.bare_lab("east,west", "flat")
def test_a_closed_way_on_a_flat_network_is_noticed(
    lab: Lab, echoes: Echoes, pair: Pair, judge: Judge
) -> None:
    """With a router that lets nothing through, the claims that nodes reach pods, and pods API
    servers, fail."""
    caller, called = (lab.clusters[name] for name in pair)
    pod, inside = echoes[pair[0]].pod, echoes[pair[1]].pod
    target = pod_targets(echoes[pair[1]])[0]
    with rewired(lab, closed(lab, pair)):
        by_node = attempt(lab, node_probe(caller), target, node_probe(called))
        api = attempt(lab, pod, api_target(called), inside)
    heard = echoes[pair[1]].answer_to(caller.control_plane.address)
    judge(noticed([reached(by_node, "pod", answer=heard), reached(api, "api")], _SILENCE))


@proves("isolation/cut-ends-open-flows")
@requires(Capability.ROUTER)
@pytest.mark.bare_lab("east,west", "flat")
def test_open_flows_that_are_kept_are_noticed(
    lab: Lab, echoes: Echoes, pair: Pair, judge: Judge
) -> None:
    """With a router that keeps to open connections, the claim that a cut resets them fails."""
    caller, called = (echoes[name].pod for name in pair)
    target = Target("the pod", called.address, PATIENT_PORT)
    with ExitStack() as stack:
        stack.enter_context(rewired(lab, lab.wiring))

        def cut() -> None:
            lab.rewire(isolated())
            stack.enter_context(open_flows_kept(lab))

        seen = converse(lab, caller, target, pair, cut)
    judge(noticed([was_reset(seen)], "0 packets answered with a reset"))


@proves("isolation/same-ranges-api-servers-reached")
@requires(Capability.ROUTER)
@pytest.mark.bare_lab("east=same,west=same", "isolated")
def test_a_closed_way_between_the_same_ranges_is_noticed(
    lab: Lab, echoes: Echoes, pair: Pair, judge: Judge
) -> None:
    """With a router that lets nothing through, the claim that API servers are reached fails."""
    pod, inside = (echoes[name].pod for name in pair)
    with rewired(lab, closed(lab, pair)):
        tried = attempt(lab, pod, api_target(lab.clusters[pair[1]]), inside)
    judge(noticed([reached(tried, "api")], _SILENCE))


@proves("isolation/shared-address-stays-at-home")
@requires(Capability.ROUTER, Capability.NODES)
@pytest.mark.bare_lab("east=same,west=same", "isolated")
def test_a_shared_address_that_is_sent_away_is_noticed(
    lab: Lab, labs: Labs, pair: Pair, judge: Judge
) -> None:
    """With a node that sends calls for a shared address to the router, the claim that they stay at
    home fails."""
    twins = find_twins(labs, lab)
    home, away = (twins[name] for name in pair)
    heard = home.target.answer_to(home.caller.pod.address)
    target = pod_targets(away.target)[0]
    with sent_away(lab, pair[0], target.address):
        tried = attempt(lab, home.caller.pod, target, away.caller.pod)
    judge(noticed([answered_by(tried, heard)], _SILENCE))
