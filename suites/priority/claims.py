"""What is claimed of calls that prefer one version."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict, answered_from_home
from meshproof.mesh.mesh import Way
from meshproof.traffic.calls import Plan, call
from meshproof.workloads.sample import Sample
from suites.priority.rules import first_in

# With two equal instances the odds that one is never chosen are 2 in 2^20.
_CALLS = 20


def preferred_alone(sample: Sample, caller: str, target: str) -> Verdict:
    """A caller whose rule prefers the target, which is well, calls nobody else: its proxy has the
    target's pods, or the gateways that lead to it, before all other endpoints.

    Rule: "failoverPriority", endpoints that match are before those that do not.
    """
    home = sample.versions[target]
    ways = {str(one) for one in _ways(sample, caller, target)}
    first = {f"{one.address}:{one.port}" for one in first_in(sample, caller)}
    others = sorted(first - ways)
    if others and first & ways:
        what = "pod" if sample.topology.same_network(caller, home) else "gateway"
        expected = f"{caller} to call {target} before all others"
        observed = f"in {caller} the {what} of {target} comes no earlier than {', '.join(others)}"
        return Verdict(Outcome.FAIL, expected, observed, {"first": ", ".join(sorted(first))})
    responses = call(sample, sample.caller(caller), Plan(times=_CALLS))
    return answered_from_home(responses, {target: home})


def _ways(sample: Sample, caller: str, version: str) -> set[Way]:
    """Where the caller's proxy calls a version."""
    pods = [one for one in sample.servers().values() if one.version == version]
    return {way for pod in pods for way in sample.ways(caller, pod)}
