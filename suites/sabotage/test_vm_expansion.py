"""Machines that are not what is claimed of them are noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.mesh.machine_setup import SERVER_UNIT
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.routing import in_force, ruled
from meshproof.traffic.settle import healed, require
from meshproof.workloads.sample import Sample
from suites.machines.claims import a_version_answers, every_version_answers, peers_know_each_other
from suites.machines.membership import (
    OTHER_NETWORK,
    away,
    files_of,
    joining_with,
    on_network,
    with_account,
)
from suites.machines.membership_claims import (
    entry_goes,
    names_are_answered,
    refused_for_its_group,
    refused_for_its_token,
    registered,
)
from suites.machines.rules import by_weight
from suites.machines.rules_claims import denied_to_sleep, shared_by_weight

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.machines


@proves("machines/calls-every-version", "machines/called-by-its-way")
@requires(Capability.ROUTER)
def test_a_machine_whose_server_has_ended_is_noticed(sample: Sample, judge: Judge) -> None:
    """With helloworld stopped on a machine, the claims that its version answers fail and name the
    version, of machines and of pods."""
    one, version = _serving(sample)
    other = next(each for name, each in sample.machines.items() if name != one)
    pod = sample.caller(sample.machines[one].cluster)
    with _server_stopped(sample, one):
        verdicts = [every_version_answers(sample, other), a_version_answers(sample, pod, version)]
    judge(noticed(verdicts, "503"))


@proves("machines/known-to-servers", "machines/known-to-callers")
def test_a_machine_of_another_account_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a machine that is another account's, the claims of its identity fail and name that, of
    its own calls and of pods'."""
    one, _ = _serving(sample)
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
    one, _ = _serving(sample)
    with joining_with(sample, one, on_network(files_of(sample, one), OTHER_NETWORK)):
        what = f"the proxy of {one}"
        require(lambda: "LIVE" in sample.machines[one].admin("ready"), what=what)
        verdict = registered(sample, one)
    judge(noticed([verdict], one))


@proves("machines/names-answered")
def test_a_machine_without_a_dns_proxy_is_noticed(sample: Sample, judge: Judge) -> None:
    """With Istio's unit stopped on a machine, the claim that names are answered there fails and
    names the machine."""
    one, _ = _serving(sample)
    with away(sample, one):
        verdict = names_are_answered(sample, one)
    judge(noticed([verdict], one))


@proves("machines/shared-by-weight")
def test_other_weights_are_noticed(sample: Sample, judge: Judge) -> None:
    """With other weights, the claim of a machine's share fails and names its version."""
    one, version = _serving(sample)
    other = next(iter(sample.versions))
    with ruled(sample, by_weight({other: 10, version: 90})):
        verdict = shared_by_weight(sample, one, 0.4, other)
    judge(noticed([verdict], f"calls from {sample.clusters[0]}, answered by {version}: "))


@proves("machines/policy-reaches-it")
def test_a_machine_without_the_policy_is_noticed(sample: Sample, judge: Judge) -> None:
    """Without the policy, the claim that a machine denies sleep fails, for its calls are
    answered."""
    one, version = _serving(sample)
    with in_force(sample, by_weight({version: 100})):
        verdict = denied_to_sleep(sample, one)
    judge(noticed([verdict], "200"))


@proves("machines/forgotten-when-it-leaves")
def test_a_machine_that_stays_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a machine that does not leave, the claim that its WorkloadEntry goes fails and names
    it."""
    one, _ = _serving(sample)
    judge(noticed([entry_goes(sample, one, within=5)], one))


@proves("machines/false-token-refused", "machines/unknown-group-refused")
def test_a_machine_that_is_let_in_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a machine that joins as it should, the claims that it is refused fail and name it."""
    one, _ = _serving(sample)
    with joining_with(sample, one, {}):
        verdicts = [refused_for_its_token(sample, one), refused_for_its_group(sample, one)]
    judge(noticed(verdicts, one))


@contextmanager
def _server_stopped(sample: Sample, machine: str) -> Iterator[None]:
    """helloworld does not run on a machine inside the block; afterwards it does, and answers, or
    the mesh is marked dirty."""
    running = sample.machines[machine].running
    running.script(f"systemctl stop {SERVER_UNIT}\n")
    try:
        pod = sample.caller(sample.machines[machine].cluster)
        calls = f"calls that fail with the server of {machine} stopped"
        require(
            lambda: any(not one.succeeded for one in call(sample, pod, Plan(times=40))), what=calls
        )
        yield
    finally:
        running.script(f"systemctl start {SERVER_UNIT}\n")
        healed(sample)


def _serving(sample: Sample) -> tuple[str, str]:
    """The first machine that has a version, and that."""
    return next((name, one.version) for name, one in sample.machines.items() if one.version)
