"""Machines: those outside Kubernetes call, and are called, as pods are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from suites.machines.claims import a_version_answers, every_version_answers, peers_know_each_other
from suites.machines.membership import await_forgotten, away, serving
from suites.machines.membership_claims import (
    entry_goes,
    names_are_answered,
    nobody_is_led_there,
    registered,
)
from suites.machines.rules import by_weight, denying_sleep
from suites.machines.rules_claims import denied_to_sleep, shared_by_weight

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.machines


@behaviour("machines/calls-every-version", feature="machines")
@requires(Capability.ROUTER)
def test_a_machine_calls_every_version_by_its_way(
    sample: Sample, machine: str, judge: Judge
) -> None:
    """A machine's calls by name are answered by every version, each by its way: its own network's
    directly, others' through their gateways, and nothing in plain text."""
    judge(every_version_answers(sample, sample.machines[machine]))


@behaviour("machines/called-by-its-way", feature="machines")
@requires(Capability.ROUTER)
def test_pods_call_a_machine_by_its_way(sample: Sample, caller: str, judge: Judge) -> None:
    """Pods' calls by name are answered by the versions on machines: on their own network, or where
    the machine's has no gateway, directly, elsewhere through its gateway."""
    pod, versions = sample.caller(caller), sample.machine_versions(caller)
    judge(all_of(a_version_answers(sample, pod, version) for version in versions))


@behaviour("machines/known-to-servers", feature="machines")
def test_servers_know_a_machine_that_calls(sample: Sample, machine: str, judge: Judge) -> None:
    """In a machine's calls each server is told of the machine's identity, and the machine of the
    server's."""
    judge(peers_know_each_other(sample, sample.machines[machine]))


@behaviour("machines/known-to-callers", feature="machines")
def test_pods_that_call_a_machine_know_it(sample: Sample, caller: str, judge: Judge) -> None:
    """In pods' calls a machine is told who the caller is, and the caller who the machine is."""
    judge(peers_know_each_other(sample, sample.caller(caller)))


@behaviour("machines/registers-itself", feature="machines")
def test_a_machine_registers_itself(sample: Sample, machine: str, judge: Judge) -> None:
    """A machine that connects has a WorkloadEntry with its address, network, locality, account and
    labels, which nobody has written."""
    judge(registered(sample, machine))


@behaviour("machines/names-answered", feature="machines")
def test_a_machines_dns_proxy_answers(sample: Sample, machine: str, judge: Judge) -> None:
    """A machine's DNS proxy knows the mesh's services by name, and makes none up."""
    judge(names_are_answered(sample, machine))


@behaviour("machines/shared-by-weight", feature="machines")
def test_a_machine_shares_calls_by_weight(sample: Sample, judge: Judge) -> None:
    """With weights of 60 and 40 for a version in a cluster and one on a machine, each answers its
    share of each cluster's calls."""
    one, other = serving(sample), next(iter(sample.versions))
    weights = {other: 60, sample.machines[one].version: 40}
    with in_force(sample, by_weight(weights)):
        judge(shared_by_weight(sample, one, 0.4, other))


@behaviour("machines/policy-reaches-it", feature="machines")
def test_an_authorization_policy_reaches_a_machine(sample: Sample, judge: Judge) -> None:
    """A policy that selects a machine's version is obeyed by the machine's proxy: it denies whom
    the policy names, and answers others."""
    one = serving(sample)
    rules = by_weight({sample.machines[one].version: 100})
    with in_force(sample, rules), denying_sleep(sample, one):
        judge(denied_to_sleep(sample, one))


@behaviour("machines/forgotten-when-it-leaves", feature="machines")
@requires(Capability.ROUTER)
def test_a_machine_that_leaves_is_forgotten(sample: Sample, judge: Judge) -> None:
    """The WorkloadEntry of a machine whose unit is stopped goes within its grace, nobody is led
    there, and once it is back it is registered and answers."""
    one = serving(sample)
    with away(sample, one):
        verdicts = [entry_goes(sample, one)]
        await_forgotten(sample, one)
        verdicts.append(nobody_is_led_there(sample, one))
    back = a_version_answers(
        sample, sample.caller(sample.clusters[0]), sample.machines[one].version
    )
    judge(all_of([*verdicts, registered(sample, one), back]))
