"""What is claimed of instances that are not ready."""

from __future__ import annotations

from collections import Counter

from meshproof.expect import Outcome, Verdict, answered_from_home
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.workloads.sample import Sample
from suites.endpoints.unready import URL, called_at, ways_to

# With two equal instances the odds that one is never chosen are 2 in 2^30.
_CALLS = 30


def unready_get_no_calls(sample: Sample, caller: str, target: str) -> Verdict:
    """The target's only instance is not ready: the caller's proxy does not call it, nor a gateway
    behind which there is no other, and all calls are answered by the other versions.

    Rule: Kubernetes sends a Service's traffic to ready endpoints alone.
    """
    reached = sample.reached_from(caller)
    others = {version: home for version, home in reached.items() if version != target}
    alone = ways_to(sample, caller, target).difference(
        *(ways_to(sample, caller, version) for version in others)
    )
    responses = call(sample, sample.caller(caller), Plan(URL, times=_CALLS))
    told = [f"{one.address}:{one.port}" for one in called_at(sample, caller, target)]
    if vain := sorted(alone.intersection(told)):
        near = sample.topology.same_network(caller, sample.versions[target])
        what = "the pod" if near else "the gateway"
        return Verdict(
            Outcome.FAIL,
            f"{caller} to call no instance of {target}, of which none is ready",
            f"{caller} calls {what} {', '.join(vain)}, where no instance is ready",
            {"calls": _came_to(responses)},
        )
    return answered_from_home(responses, others)


def _came_to(responses: list[Response]) -> str:
    """What came of calls, by where they were sent."""
    found = Counter(
        f"{one.status or one.refusal} at {one.log.upstream_host if one.log else 'nobody known'}"
        for one in responses
    )
    return ", ".join(f"{count} x {what}" for what, count in found.most_common())
