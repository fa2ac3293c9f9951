"""Clusters that use the same pod and service ranges: an address means the one at home."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, answered_by, kept_out, reached
from meshproof.expect.control import as_control
from meshproof.lab import Lab
from meshproof.model import Capability, Pair
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic import PATIENT, attempt
from meshproof.workloads import Echo
from suites.isolation.targets import api_target, node_port_target, pod_targets
from suites.isolation.twins import Twin

pytestmark = pytest.mark.bare_lab("east=same,west=same", "isolated")
Echoes = dict[str, Echo]
Judge = Callable[[Verdict], None]
Twins = dict[str, Twin]


@behaviour("isolation/shared-address-stays-at-home", feature="isolation")
@requires(Capability.ROUTER)
def test_an_address_of_both_stays_at_home(lab: Lab, twins: Twins, pair: Pair, judge: Judge) -> None:
    """A call to a pod address that exists in both clusters is answered by the one at home."""
    home, away = (twins[name] for name in pair)
    assert home.target.pod.address == away.target.pod.address
    heard = home.target.answer_to(home.caller.pod.address)
    attempts = [
        attempt(lab, home.caller.pod, target, away.caller.pod, patience=PATIENT)
        for target in pod_targets(away.target)
    ]
    # That the router counted nothing means something only if it does count.
    api, inside = api_target(lab.clusters[pair[1]]), away.caller.pod
    counted = attempt(lab, home.caller.pod, api, inside, patience=PATIENT)
    claims = [answered_by(one, heard) for one in attempts]
    judge(all_of([*claims, as_control(reached(counted, "api"))]))


@behaviour("isolation/same-ranges-api-servers-reached", feature="isolation")
@requires(Capability.ROUTER)
def test_api_servers_are_reached(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """API servers are reached across networks all the same: nodes have addresses of their own."""
    caller, called = pair
    target = api_target(lab.clusters[called])
    judge(
        reached(
            attempt(lab, echoes[caller].pod, target, echoes[called].pod, patience=PATIENT),
            "api",
        )
    )


@behaviour("isolation/same-ranges-node-ports-kept-out", feature="isolation")
@requires(Capability.ROUTER)
def test_node_ports_are_not_reached(lab: Lab, echoes: Echoes, pair: Pair, judge: Judge) -> None:
    """NodePorts of the other network are not reached, though its nodes could be addressed."""
    caller, called = (echoes[name] for name in pair)
    judge(kept_out(attempt(lab, caller.pod, node_port_target(called), called.pod)))
