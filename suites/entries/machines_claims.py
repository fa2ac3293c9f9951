"""What is claimed of instances that WorkloadEntries announce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from meshproof.expect import Outcome, Verdict, answered_from_home, calls_to_meet
from meshproof.kube.workload import PodWorkload
from meshproof.traffic.calls import call
from meshproof.workloads.sample import Sample
from suites.entries.machines import BY_MACHINE, MACHINE, ways_to, where


def announced_where_they_are(
    sample: Sample, caller: str, announced: Mapping[str, PodWorkload]
) -> Verdict:
    """An instance is on the network of the cluster in which it is announced: callers on another
    one are given its gateways, and every announced instance answers.

    INCONCLUSIVE: the caller's proxy knows no instance.
    """
    topology = sample.topology
    known = [one for name, one in announced.items() if _known(sample, caller, name)]
    due = set().union(*(ways_to(sample, caller, one) for one in known))
    found = where(sample, caller)
    expected = f"{caller} to call {MACHINE} at {', '.join(sorted(due))}"
    if not found or not known:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"{MACHINE} has no instance in {caller}")
    for one in known:
        if f"{one.address}:" in "".join(f"{at} " for at in set(found) - due):
            gates = ", ".join(sorted(ways_to(sample, caller, one)))
            there = topology[one.cluster].network
            observed = f"{caller} calls {one.address} of {there} itself, not the gateway {gates}"
            return Verdict(Outcome.FAIL, expected, observed)
    if set(found) != due:
        observed = f"{caller} calls it at {', '.join(sorted(found))}"
        return Verdict(Outcome.FAIL, expected, observed)
    plan = replace(BY_MACHINE, times=calls_to_meet(1 / len(known)))
    homes = {one.version: one.cluster for one in known}
    return answered_from_home(call(sample, sample.caller(caller), plan), homes)


def _known(sample: Sample, caller: str, cluster: str) -> bool:
    return caller == cluster or sample.topology.knows(caller, cluster)
