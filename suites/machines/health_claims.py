"""What is claimed of machines whose health is checked."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.mesh.machines import connected
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import Sample
from suites.machines.claims import a_version_answers
from suites.machines.health import health_of
from suites.machines.membership import await_forgotten, entry_of
from suites.machines.membership_claims import nobody_is_led_there

_TOLD_WITHIN = 20.0
"""Seconds: two checks that fail, a second apart, and what it takes until istiod has noted it."""


def taken_out(sample: Sample, machine: str) -> Verdict:
    """A machine whose health check fails is said to be so, stays registered and connected, and is
    led to by nobody."""
    said = _said_to_be(sample, machine, healthy=False)
    await_forgotten(sample, machine)
    return all_of([said, _still_registered(sample, machine), nobody_is_led_there(sample, machine)])


def taken_in(sample: Sample, machine: str) -> Verdict:
    """A machine whose health check holds is said to be healthy, and its version answers the pods
    of each cluster that knows it."""
    version = sample.machines[machine].version
    names = [name for name in sample.clusters if version in sample.machine_versions(name)]
    said = _said_to_be(sample, machine, healthy=True)
    callers = [sample.caller(name) for name in names]
    return all_of([said, *(a_version_answers(sample, one, version) for one in callers)])


def _said_to_be(sample: Sample, machine: str, *, healthy: bool) -> Verdict:
    word = {True: "healthy", False: "unhealthy", None: "neither healthy nor unhealthy"}
    expected = f"the WorkloadEntry of {machine} to say within {_TOLD_WITHIN:.0f} s that it is "
    expected += word[healthy]
    converge(lambda: health_of(sample, machine) is healthy, what=expected, within=_TOLD_WITHIN)
    found = health_of(sample, machine)
    outcome = Outcome.PASS if found is healthy else Outcome.FAIL
    return Verdict(outcome, expected, f"{machine} is said to be {word[found]}")


def _still_registered(sample: Sample, machine: str) -> Verdict:
    expected = f"{machine} to be registered and connected all the same"
    if connected(entry_of(sample, machine)):
        return Verdict(Outcome.PASS, expected, "so it is")
    return Verdict(Outcome.FAIL, expected, f"{machine} is not registered, or not connected")
