"""What is claimed of callers that came after installation, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from meshproof.expect import Outcome, Verdict, all_of, answered_from_home, calls_to_meet
from meshproof.kube.workload import Workload
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.settle import reachable
from meshproof.workloads.sample import SLEEP, Sample
from suites.newcomers.setting import LATE, ROOT, Errand


def plan(sample: Sample) -> Plan:
    """As many calls as it takes to meet every version."""
    return Plan(times=calls_to_meet(sample.smallest_share))


def root_is_told(cluster: str, rooted: Collection[str]) -> Verdict:
    """A cluster's new namespace has got the mesh's root; ``rooted``: the clusters of which it has.
    Where it has not there is no caller to be judged."""
    expected = f"{LATE} of {cluster} to have {ROOT}"
    if cluster in rooted:
        return Verdict(Outcome.PASS, expected, "it has")
    observed = f"{LATE} of {cluster} has no {ROOT}, without which no sidecar starts"
    return Verdict(Outcome.FAIL, expected, observed)


def served_as_any_other(sample: Sample, caller: Workload) -> Verdict:
    """A caller in a new namespace has a sidecar, is answered by every version that its cluster
    reaches, and is known to the servers by its own identity."""
    if not caller.sidecar:
        return _without_a_sidecar(caller)
    return _answered(sample, caller.cluster, call(sample, caller, plan(sample)))


def done_and_ended(sample: Sample, errand: Errand) -> Verdict:
    """A Job has a sidecar, its calls are answered as any others, and it ends: its sidecar does
    not outlive it."""
    if not errand.workload.sidecar:
        return _without_a_sidecar(errand.workload)
    name = errand.workload.name
    outcome = Outcome.PASS if errand.ended else Outcome.FAIL
    observed = "it did" if errand.ended else f"{name} still runs three minutes later"
    return all_of(
        [
            _answered(sample, errand.workload.cluster, errand.responses),
            Verdict(outcome, f"{name} to be complete once its program has ended", observed),
        ]
    )


def _without_a_sidecar(caller: Workload) -> Verdict:
    expected = f"{caller.name} to have a sidecar"
    return Verdict(Outcome.FAIL, expected, f"{caller.name} has no sidecar")


def _answered(sample: Sample, cluster: str, responses: Sequence[Response]) -> Verdict:
    identity = sample.topology[cluster].mesh.identity(LATE, SLEEP)
    expected = f"the servers to know their caller as {identity}"
    others = [one for one in responses if one.identity != identity]
    observed = f"as {others[0].identity or 'nobody'}" if others else "they did"
    known = Verdict(Outcome.FAIL if others else Outcome.PASS, expected, observed)
    return all_of([answered_from_home(responses, reachable(sample, cluster)), known])
