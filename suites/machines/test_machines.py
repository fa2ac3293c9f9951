"""Machines: those outside Kubernetes call, and are called, as pods are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.machines.claims import a_version_answers, every_version_answers, peers_know_each_other

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
