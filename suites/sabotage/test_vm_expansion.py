"""Machines that are not what is claimed of them are noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.faults.istiod import istiod_stopped, proxies_healed
from meshproof.model import Capability, Mtls, Version
from meshproof.model.upgrade import begin
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.routing import in_force, ruled
from meshproof.traffic.settle import require
from meshproof.workloads.sample import SLEEP, Sample
from suites.machines.alone_claims import goes_on_alone
from suites.machines.bare import bare, in_mode
from suites.machines.bare_claims import answered_in_plain_text, called_in_plain_text, turned_away
from suites.machines.claims import a_version_answers, every_version_answers, peers_know_each_other
from suites.machines.group import another_of
from suites.machines.group_claims import answer_as_one
from suites.machines.health_claims import taken_in, taken_out
from suites.machines.leaving import calls_over
from suites.machines.leaving_claims import costs_little
from suites.machines.membership import (
    OTHER_NETWORK,
    away,
    files_of,
    joining_with,
    on_network,
    server_stopped,
    serving,
    with_account,
)
from suites.machines.membership_claims import (
    entry_goes,
    names_are_answered,
    refused_for_its_account,
    refused_for_its_age,
    refused_for_its_group,
    refused_for_its_token,
    registered,
)
from suites.machines.renewal import await_its_end, briefly_certified
from suites.machines.renewal_claims import renewed
from suites.machines.rules import by_weight
from suites.machines.rules_claims import denied_to_sleep, shared_by_weight
from suites.upgrade.machines import machines_go_on

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.machines


@proves("machines/calls-every-version", "machines/called-by-its-way")
@requires(Capability.ROUTER)
def test_a_machine_whose_server_has_ended_is_noticed(sample: Sample, judge: Judge) -> None:
    """With helloworld stopped on a machine, the claims that its version answers fail and name the
    version, of machines and of pods."""
    one = serving(sample)
    version = sample.machines[one].version
    other = next(each for name, each in sample.machines.items() if name != one)
    pod = sample.caller(sample.machines[one].cluster)
    with server_stopped(sample, one):
        _await_failures(sample, one)
        verdicts = [every_version_answers(sample, other), a_version_answers(sample, pod, version)]
    judge(noticed(verdicts, "503"))


@proves("machines/known-to-servers", "machines/known-to-callers")
def test_a_machine_of_another_account_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a machine that is another account's, the claims of its identity fail and name that, of
    its own calls and of pods'."""
    one = serving(sample)
    pod = sample.caller(sample.machines[one].cluster)
    with with_account(sample, one, "impostor"):
        verdicts = [
            peers_know_each_other(sample, sample.machines[one]),
            peers_know_each_other(sample, pod),
        ]
    judge(noticed(verdicts, "sa/impostor"))


@proves("machines/registers-itself")
def test_a_machine_on_another_network_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a machine that says it is on another network, the claim of its WorkloadEntry fails and
    names the machine."""
    one = serving(sample)
    with joining_with(sample, one, on_network(files_of(sample, one), OTHER_NETWORK)):
        what = f"the proxy of {one}"
        require(lambda: "LIVE" in sample.machines[one].admin("ready"), what=what)
        verdict = registered(sample, one)
    judge(noticed([verdict], one))


@proves("machines/names-answered")
def test_a_machine_without_a_dns_proxy_is_noticed(sample: Sample, judge: Judge) -> None:
    """With Istio's unit stopped on a machine, the claim that names are answered there fails and
    names the machine."""
    one = serving(sample)
    with away(sample, one):
        verdict = names_are_answered(sample, one)
    judge(noticed([verdict], one))


@proves("machines/shared-by-weight")
def test_other_weights_are_noticed(sample: Sample, judge: Judge) -> None:
    """With other weights, the claim of a machine's share fails and names its version."""
    one = serving(sample)
    version = sample.machines[one].version
    other = next(iter(sample.versions))
    with ruled(sample, by_weight({other: 10, version: 90})):
        verdict = shared_by_weight(sample, one, 0.4, other)
    judge(noticed([verdict], f"calls from {sample.clusters[0]}, answered by {version}: "))


@proves("machines/policy-reaches-it")
def test_a_machine_without_the_policy_is_noticed(sample: Sample, judge: Judge) -> None:
    """Without the policy, the claim that a machine denies sleep fails, for its calls are
    answered."""
    one = serving(sample)
    version = sample.machines[one].version
    with in_force(sample, by_weight({version: 100})):
        verdict = denied_to_sleep(sample, one)
    judge(noticed([verdict], "200"))


@proves("machines/forgotten-when-it-leaves", "machines/back-at-another-address")
def test_a_machine_that_stays_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a machine that does not leave, the claim that its WorkloadEntry goes fails and names
    it."""
    one = serving(sample)
    address = sample.machines[one].address
    verdicts = [entry_goes(sample, one, within=5), entry_goes(sample, one, within=5, at=address)]
    judge(noticed(verdicts, one))


@proves("machines/stopped-costs-little", "machines/killed-costs-little")
@requires(Capability.NODES)
def test_a_machine_that_goes_on_answering_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a machine to which nothing is done, the claim of what its leaving costs fails and names
    it."""
    one = serving(sample)
    nothing = calls_over(sample, one, "said to leave", nullcontext, 5.0)
    judge(noticed([costs_little(sample, one, nothing)], one))


@proves("machines/health-takes-out-and-in")
@requires(Capability.ROUTER)
def test_a_machine_without_a_health_check_is_noticed(sample: Sample, judge: Judge) -> None:
    """With the server stopped on a machine whose group has no health check, the claims of its
    health fail and name it."""
    one = serving(sample)
    with server_stopped(sample, one):
        _await_failures(sample, one)
        verdicts = [taken_out(sample, one), taken_in(sample, one)]
    judge(noticed(verdicts, one))


@proves("machines/several-of-one-group")
def test_a_machine_of_another_group_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a machine that is of its own group, the claim that it is of another's fails and names
    it."""
    one = serving(sample)
    other = another_of(sample, one)
    with ruled(sample, by_weight({sample.machines[one].version: 100})):
        verdict = answer_as_one(sample, one, [one, other])
    judge(noticed([verdict], other))


@proves("machines/istiod-away")
@requires(Capability.ROUTER)
def test_a_dead_server_while_istiod_is_away_is_noticed(sample: Sample, judge: Judge) -> None:
    """With helloworld stopped on a machine while istiod is away, the claim that another machine's
    calls go on fails and names that one."""
    one = serving(sample)
    other = another_of(sample, one)
    cluster = sample.mesh.cluster(sample.machines[one].cluster)
    with server_stopped(sample, other), istiod_stopped(cluster, sample.mesh.shell):
        verdict = goes_on_alone(sample, one)
    proxies_healed(sample, f"istiod of {cluster.name} is back")
    judge(noticed([verdict], one))


@proves("machines/bare")
@requires(Capability.ROUTER)
def test_a_machine_with_a_proxy_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a machine that has its proxy, the claim that it is called in plain text fails and names
    it."""
    one = serving(sample)
    with ruled(sample, by_weight({sample.machines[one].version: 100})):
        verdict = called_in_plain_text(sample, one)
    judge(noticed([verdict], one))


@proves("machines/bare")
def test_a_machine_in_another_mode_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a machine without a proxy, the claim that it is answered fails where the mode is strict,
    the claim that it is turned away where it is permissive, and both name it."""
    one = serving(sample)
    with bare(sample, one) as machine:
        verdicts = [answered_in_plain_text(sample, one, machine)]
    with in_mode(sample, Mtls.PERMISSIVE), bare(sample, one) as machine:
        verdicts.append(turned_away(sample, one, machine))
    judge(noticed(verdicts, one))


@proves("upgrade/machines-go-on")
def test_a_machine_with_an_old_package_is_noticed(sample: Sample, judge: Judge) -> None:
    """With machines whose package was not replaced, the claim of what runs on them fails and names
    what they are of."""
    running = next(iter(sample.mesh.deployment.istio.values()))
    state = begin(sample.topology, running)
    due = replace(state, machines=dict.fromkeys(state.machines, Version(1, 0, 0)))
    judge(noticed([machines_go_on(sample, due)], f"says {running}"))


@proves("machines/credentials-renewed")
def test_a_machine_that_renews_nothing_is_noticed(sample: Sample, judge: Judge) -> None:
    """With an agent that stands still, the claim that a machine's certificate was renewed fails
    and names the machine."""
    one = serving(sample)
    with briefly_certified(sample, one) as first, _agent_halted(sample, one):
        await_its_end(first)
        verdict = renewed(sample, one, first)
    judge(noticed([verdict], one))


@proves(
    "machines/false-token-refused",
    "machines/expired-token-refused",
    "machines/other-account-refused",
    "machines/unknown-group-refused",
)
def test_a_machine_that_is_let_in_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a machine that joins as it should, the claims that it is refused fail and name it."""
    one = serving(sample)
    with joining_with(sample, one, {}):
        verdicts = [
            refused_for_its_token(sample, one),
            refused_for_its_age(sample, one),
            refused_for_its_account(sample, one, SLEEP),
            refused_for_its_group(sample, one),
        ]
    judge(noticed(verdicts, one))


def _await_failures(sample: Sample, machine: str) -> None:
    """Wait until calls fail that a machine's server would have answered."""
    pod = sample.caller(sample.machines[machine].cluster)
    require(
        lambda: any(not one.succeeded for one in call(sample, pod, Plan(times=40))),
        what=f"calls that fail with the server of {machine} stopped",
    )


@contextmanager
def _agent_halted(sample: Sample, machine: str) -> Iterator[None]:
    """A machine's agent stands still inside the block, and its proxy goes on."""
    running = sample.machines[machine].running
    running.script("pkill -STOP -x pilot-agent\n")
    try:
        yield
    finally:
        running.script("pkill -CONT -x pilot-agent\n")
