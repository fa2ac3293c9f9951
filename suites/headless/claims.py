"""What is claimed of single pods' names, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.expect import Outcome, Verdict, all_of, succeeded, went_through
from meshproof.expect.control import as_control
from meshproof.expect.names import exists, known, unknown
from meshproof.kube.workload import Workload
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import PORT, Sample
from meshproof.workloads.stateful import pod_name
from suites.headless.sets import ask, full_name, pod_of

_CALLS = 4


def found_by_name(sample: Sample, caller: str, there: str, app: str = DNS_SLEEP) -> Verdict:
    """The name of another cluster's single pod resolves, by the sidecar's DNS proxy alone, to its
    own address, and the pod answers by it, known by its identity.

    ``app``: the pod that asks.
    """
    asking, plain = sample.caller(caller, app), sample.caller(caller)
    name, pod = full_name(there), pod_of(sample, there)
    answer = ask(sample, asking, name)
    found = known(name, f"{app} of {caller}", answer, ask(sample, plain, name))
    if found.outcome is not Outcome.PASS:
        return found  # there is nobody to call
    told = ", ".join(map(str, answer.addresses))
    right = answer.addresses == (pod.address,)
    outcome = Outcome.PASS if right else Outcome.FAIL
    address = Verdict(outcome, f"{name} to be {pod}", f"{name} is {told}")
    return all_of([found, address, _answers(sample, asking, pod)])


def nowhere_by_name(sample: Sample, caller: str, there: str) -> Verdict:
    """The name of a single pod on another network is not known to the sidecar's DNS proxy, which
    knows that of its own cluster's, and does not make up names; that one answers."""
    asking, own = sample.caller(caller, DNS_SLEEP), pod_of(sample, caller)
    name, who = full_name(there), f"{DNS_SLEEP} of {caller}"
    control = ask(sample, asking, full_name(caller))
    return all_of(
        [
            unknown(name, who, ask(sample, asking, name), control),
            as_control(exists(name, there, ask(sample, sample.caller(there), name))),
            _answers(sample, asking, own),
        ]
    )


def _answers(sample: Sample, caller: Workload, pod: Workload) -> Verdict:
    """Whether calls by a pod's name are answered by it, at its address, by mutual TLS."""
    url = f"http://{full_name(pod.cluster)}:{PORT}/hello"
    responses = call(sample, caller, Plan(url, _CALLS))
    return all_of(
        [
            succeeded(responses),
            _by(responses, pod_name(pod.cluster)),
            went_through(responses, [f"{pod.address}:{PORT}"], str(pod)),
            _as(responses, sample.server_identity(pod.cluster)),
        ]
    )


def _by(responses: Sequence[Response], pod: str) -> Verdict:
    other = [one.pod for one in responses if one.pod != pod]
    outcome = Outcome.FAIL if other else Outcome.PASS
    return Verdict(outcome, f"{pod} to answer", f"{other[0]} answered" if other else "it did")


def _as(responses: Sequence[Response], identity: str) -> Verdict:
    """Whether the caller's proxy knew who answered, once and at once."""
    expected = f"{len(responses)} answers by {identity}, each sent once"
    logs = [one.log for one in responses if one.log]
    other = [log for log in logs if log.upstream_peer != identity or log.attempts != 1]
    if other:
        who = f"{other[0].upstream_peer or 'nobody'}, sent {other[0].attempts} times"
        return Verdict(Outcome.FAIL, expected, f"{len(other)} by {who}")
    return Verdict(Outcome.PASS, expected, f"all {len(logs)}")
