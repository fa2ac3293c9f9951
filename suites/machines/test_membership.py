"""Machines: how they leave a mesh, come back, and are kept out and taken in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.faults.istiod import istiod_stopped, proxies_healed
from meshproof.lab.restart import free_address
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from suites.machines.alone_claims import goes_on_alone
from suites.machines.claims import a_version_answers
from suites.machines.group import another_of, leave, of_one_group
from suites.machines.group_claims import answer_as_one
from suites.machines.health import checked
from suites.machines.health_claims import taken_in, taken_out
from suites.machines.leaving import killed, stopped
from suites.machines.leaving_claims import costs_little
from suites.machines.membership import await_connected, powerless, server_stopped, serving
from suites.machines.membership_claims import entry_goes, registered
from suites.machines.rules import by_weight

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.machines


@behaviour("machines/health-takes-out-and-in", feature="machines")
@requires(Capability.ROUTER)
def test_health_checks_take_a_machine_out_and_in(sample: Sample, judge: Judge) -> None:
    """A machine whose group has a health check is led to while that holds, and by nobody while it
    does not, though it stays registered."""
    one = serving(sample)
    with checked(sample, one):
        verdicts = [taken_in(sample, one)]
        with server_stopped(sample, one):
            verdicts.append(taken_out(sample, one))
        verdicts.append(taken_in(sample, one))
    judge(all_of(verdicts))


# Who promises it: PILOT_WORKLOAD_ENTRY_GRACE_PERIOD,
# https://istio.io/latest/docs/reference/commands/pilot-discovery/. Half a minute, and a minute for
# one that dies, are ours.
@behaviour("machines/stopped-costs-little", feature="machines", level="extended")
@requires(Capability.NODES)
def test_calls_while_a_machine_is_stopped(sample: Sample, judge: Judge) -> None:
    """While Istio's unit is stopped on a machine, calls are lost no longer than its WorkloadEntry
    lasts, and then others answer all of them."""
    one = serving(sample)
    judge(costs_little(sample, one, stopped(sample, one)))


@behaviour("machines/killed-costs-little", feature="machines", level="extended")
@requires(Capability.ROUTER, Capability.NODES)
def test_calls_while_a_machine_loses_its_power(sample: Sample, judge: Judge) -> None:
    """When a machine ends without a word, calls are lost no longer than its WorkloadEntry lasts,
    and then others answer all of them."""
    one = serving(sample)
    judge(costs_little(sample, one, killed(sample, one)))


@behaviour("machines/back-at-another-address", feature="machines")
@requires(Capability.ROUTER, Capability.NODES)
def test_a_machine_comes_back_at_another_address(sample: Sample, judge: Judge) -> None:
    """A machine that comes back at another address is registered and called there, and the
    WorkloadEntry of its former address goes."""
    one = serving(sample)
    address = sample.machines[one].address
    with powerless(sample, one, free_address(sample.mesh.lab, one)):
        gone = entry_goes(sample, one, at=address)
    version, callers = sample.machines[one].version, map(sample.caller, sample.clusters)
    known = [pod for pod in callers if version in sample.machine_versions(pod.cluster)]
    called = [a_version_answers(sample, pod, version) for pod in known]
    judge(all_of([gone, registered(sample, one), *called]))


@behaviour("machines/several-of-one-group", feature="machines")
def test_several_machines_are_of_one_group(sample: Sample, judge: Judge) -> None:
    """Two machines of one group are registered each by itself, answer by one name and as one
    account, and when one leaves the other answers all calls."""
    one = serving(sample)
    other = another_of(sample, one)
    rules = by_weight({sample.machines[one].version: 100})
    with of_one_group(sample, one, other), in_force(sample, rules):
        verdicts = [answer_as_one(sample, one, [one, other])]
        leave(sample, other)
        verdicts.append(answer_as_one(sample, one, [one]))
    judge(all_of(verdicts))


# Who promises it: "Management Server Unreachability",
# https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/mgmt_server.
@behaviour("machines/istiod-away", feature="machines")
@requires(Capability.ROUTER)
def test_machines_go_on_without_their_istiod(sample: Sample, judge: Judge) -> None:
    """While the istiod that serves machines is away they call every version and are called, and
    when it is back they are registered."""
    primary = sample.machines[serving(sample)].cluster
    mine = [name for name, one in sample.machines.items() if one.cluster == primary]
    with istiod_stopped(sample.mesh.cluster(primary), sample.mesh.shell):
        verdicts = [goes_on_alone(sample, name) for name in mine]
    proxies_healed(sample, f"istiod of {primary} is back")
    for name in mine:
        await_connected(sample, name)
    judge(all_of([*verdicts, *(registered(sample, name) for name in mine)]))
