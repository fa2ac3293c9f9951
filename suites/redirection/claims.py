"""What is claimed of redirection, so that sabotage can claim the same of other sidecars.

``app``: the sleep that calls, for it is a pod's own sidecar that takes its calls or does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    calls_to_meet,
    served_by_exactly,
    went_through,
)
from meshproof.expect.bypass import bypassed, redirected
from meshproof.kube.workload import Workload
from meshproof.traffic.bypass import Tried, try_past
from meshproof.traffic.calls import HELLO, Plan
from meshproof.workloads.sample import PORT, Sample

_CALLS = 5


def remote_pod_through_the_proxy(sample: Sample, caller: str, app: str) -> Verdict:
    """Calls to a remote pod's address have lines in the log of the caller's proxy."""
    pod = remote_pod(sample, caller)
    tried = _try(sample, caller, app, url=_at(pod), control=HELLO)
    return all_of(
        [
            redirected(tried),
            went_through(tried.responses, [f"{pod.address}:{PORT}"], f"the pod of {pod.cluster}"),
            served_by_exactly(tried.responses, {pod.version: pod.cluster}),
            _seen(tried, [pod]),
        ]
    )


def remote_pod_past_the_proxy(sample: Sample, caller: str, app: str) -> Verdict:
    """Calls to a remote pod's address are answered, and the caller's proxy knows nothing."""
    pod = remote_pod(sample, caller)
    tried = _try(sample, caller, app, url=_at(pod), control=HELLO)
    return _past(tried, [pod])


def local_service_past_the_proxy(sample: Sample, caller: str, app: str) -> Verdict:
    """Calls to helloworld pass the proxy by, so that kube-proxy keeps them in the cluster."""
    local = [one for one in sample.every_server() if one.cluster == caller]
    # kube-proxy chooses for each connection.
    rarest = min(Counter(one.version for one in local).values())
    times = max(_CALLS, calls_to_meet(rarest / len(local)))
    tried = _try(sample, caller, app, HELLO, _at(remote_pod(sample, caller)), times)
    return _past(tried, local)


def remote_pod(sample: Sample, caller: str) -> Workload:
    """A pod of another cluster on the caller's network."""
    near = sample.pairs(same_network=True)
    return sample.server(next(version for who, version in near if who == caller))


def _past(tried: Tried, pods: Sequence[Workload]) -> Verdict:
    """Each call was answered by one of these pods, and no proxy of the caller's knows."""
    answered = served_by_exactly(tried.responses, {one.version: one.cluster for one in pods})
    return all_of([bypassed(tried), answered, _seen(tried, pods)])


def _try(
    sample: Sample, caller: str, app: str, url: str, control: str, times: int = _CALLS
) -> Tried:
    plan, later = Plan(url=url, times=times, fresh=True), Plan(url=control, times=2)
    return try_past(sample, sample.caller(caller, app), plan, later)


def _at(pod: Workload) -> str:
    return f"http://{pod.address}:{PORT}/hello"


def _seen(tried: Tried, pods: Sequence[Workload]) -> Verdict:
    """The wire saw each request pass in plain text, from the caller's pod to one of these."""
    seen = sum(tried.watched.towards(one.address, PORT, "http") for one in pods)
    names = " or ".join(one.name for one in pods)
    expected = f"the wire to see at least {len(tried.responses)} requests to {names}"
    outcome = Outcome.PASS if seen >= len(tried.responses) else Outcome.FAIL
    evidence = {"counted": str(tried.watched.counted)}
    return Verdict(outcome, expected, f"{seen} segments", evidence)
