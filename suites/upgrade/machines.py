"""Machines outside Kubernetes after each step: they are upgraded apart from their istiod."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict, all_of, answered_from_home, calls_to_meet
from meshproof.expect.builds import are_of
from meshproof.kube.workload import Workload
from meshproof.mesh.builds import machine_build
from meshproof.mesh.machines import connected, workload_entry
from meshproof.model import State
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.machines import known_versions
from meshproof.workloads.sample import NAMESPACE, Sample

_ODDS = 2**-12


def machines_go_on(sample: Sample, state: State) -> Verdict:
    """Each machine runs the Istio that is due on it, is registered and connected, and calls every
    version; and every version, also those on machines, answers the pods of each cluster."""
    verdicts = []
    for name, one in sample.machines.items():
        due = {str(state.machines[name])}
        verdicts.append(are_of(due, [machine_build(one)], f"what runs on {name}"))
        verdicts.append(_connected(sample, name))
    callers = map(sample.calling, (*sample.machines, *sample.clusters))
    return all_of([*verdicts, *(_answered(sample, one) for one in callers)])


def _connected(sample: Sample, name: str) -> Verdict:
    expected = f"{name} to be registered and connected"
    if connected(workload_entry(sample.mesh, sample.topology.machine(name), NAMESPACE)):
        return Verdict(Outcome.PASS, expected, f"{name} is")
    return Verdict(Outcome.FAIL, expected, f"{name} is not registered, or not connected")


def _answered(sample: Sample, caller: Workload) -> Verdict:
    known = known_versions(sample, caller)
    # One that shares a gateway with another may get less than its part.
    times = calls_to_meet(1 / (2 * len(known)), _ODDS)
    return answered_from_home(call(sample, caller, Plan(times=times)), known)
