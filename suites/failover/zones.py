"""Calls that prefer their own zone, and then their own region, whatever cluster instances are in.

https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/failover/
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from meshproof.expect import Outcome, Verdict, all_of, succeeded
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout
from meshproof.mesh.manifests import LOCALITY_LABEL
from meshproof.mesh.routes import Tls, destination_rule
from meshproof.traffic.calls import Plan, answers, call
from meshproof.traffic.endpoints import await_pods, usual_pods
from meshproof.traffic.response import Response
from meshproof.traffic.routing import ruled
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, Sample, sleep_objects
from meshproof.workloads.scale import in_zones

HERE, NEAR = "r0.z0", "r0.z1"
"""The caller's own zone, and another one of its region; whoever has none is elsewhere."""
_CALLER = "sleep-zoned"
_CALLS = 60
"""So many that one of four instances that may answer is passed over once in 2^24 times."""


@dataclass(frozen=True, slots=True)
class Held:
    """What calls came to at a stage. ``when``: for people; ``due``: the pods that may answer;
    ``responses``: to calls that were made then."""

    when: str
    due: Collection[str]
    responses: Sequence[Response]


def nearest_first(stages: Sequence[Held]) -> Verdict:
    """At each stage calls are answered by pods that are due then alone, and none is lost; that one
    was due before, and is not any more, has ended."""
    found = [_by_those_due(one) for one in stages]
    verdict = all_of(found)
    if verdict.outcome is not Outcome.PASS:
        return verdict
    return replace(verdict, observed="; ".join(one.observed for one in found))


def near_rule(*, ejecting: bool = True) -> Object:
    """Calls go to whoever is nearest. Without ejection istiod gives no instance another
    priority."""
    rule = destination_rule(HOST, (), Tls.ISTIO_MUTUAL)
    policy = rule["spec"]["trafficPolicy"]
    policy["loadBalancer"] = {"localityLbSetting": {"enabled": True}}
    if ejecting:
        policy["outlierDetection"] = {"consecutive5xxErrors": 100, "baseEjectionTime": "1s"}
    return rule


def over_the_zones(sample: Sample, rule: Object) -> list[Held]:
    """What calls come to whose caller is in a zone in which a far cluster has an instance, and in a
    region in which its own cluster has one; when the first is gone; and when both are. A gateway
    leads to whom it likes: who is called by one may be any instance of the version.

    Afterwards proxies have forgotten all of it, or the mesh is marked dirty. Raises EvidenceError
    as ``ruled``, LabError when an instance will not run.
    """
    caller = next(one for one in sample.homes if len(sample.reached_from(one)) > 1)
    near = sample.versions_in(caller)[0]
    known = sample.reached_from(caller)
    far = next(version for version, home in known.items() if home != caller)
    direct = sample.topology.same_network(caller, known[far])
    stages: list[Held] = []
    try:
        with ExitStack() as stack, _zoned(sample, caller), ExitStack() as region:
            region.enter_context(in_zones(sample, near, {NEAR: 1}))
            with ExitStack() as zone:
                zone.enter_context(in_zones(sample, far, {HERE: 1}))
                stack.enter_context(ruled(sample, [rule]))
                due = _pods(sample, far, HERE if direct else "")
                stages.append(_held(sample, caller, due, "with an instance in the zone"))
            due = _pods(sample, near, NEAR)
            stages.append(_held(sample, caller, due, "with one in the region alone"))
            region.close()
            due = set(sample.answering())
            stages.append(_held(sample, caller, due, "with none there"))
    finally:
        if not await_pods(sample, usual_pods(sample)):
            sample.mesh.mark_dirty("the proxies do not forget pods that are gone")
    return stages


@contextmanager
def _zoned(sample: Sample, cluster: str) -> Iterator[None]:
    """A cluster has another sleep, in the zone, inside the block. Raises LabError."""
    objects = sleep_objects(name=_CALLER)
    for one in objects:
        if one["kind"] == "Deployment":
            one["spec"]["template"]["metadata"]["labels"][LOCALITY_LABEL] = HERE
    running = sample.mesh.cluster(cluster)
    try:
        with applied(running, objects):
            await_rollout(running, NAMESPACE, {_CALLER}, sample.mesh.shell)
            yield
    finally:
        # Else whoever asks for it next, after a claim that broke off, gets a pod that is gone.
        sample.callers.pop((cluster, f"{NAMESPACE}/{_CALLER}"), None)


def _held(sample: Sample, caller: str, due: Collection[str], when: str) -> Held:
    asker, plan = sample.caller(caller, _CALLER), Plan(times=_CALLS)
    seen: Callable[[], Sequence[Response]] = lambda: answers(sample, asker, plan)  # noqa: E731
    converge(
        seen,
        until=lambda found: all(one.succeeded and one.pod in due for one in found),
        what=f"answers by {len(due)} pods {when}",
    )
    return Held(when, due, call(sample, asker, plan))


def _pods(sample: Sample, version: str, zone: str) -> set[str]:
    """The pods of a version, those that it has in a zone where one is named."""
    suffix = f"-{zone.replace('.', '-')}-" if zone else "-"
    begin = f"{HELLOWORLD}-{version}{suffix}"
    return {name for name in sample.servers() if name.startswith(begin)}


def _by_those_due(stage: Held) -> Verdict:
    expected = f"calls to be answered {stage.when} by {len(stage.due)} pods alone"
    if not stage.responses or not stage.due:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"{stage.when}: nobody called, or was due")
    fine = succeeded(stage.responses)
    if fine.outcome is not Outcome.PASS:
        return Verdict(fine.outcome, expected, f"{stage.when}: {fine.observed}", fine.evidence)
    heard = {one.pod or "nobody" for one in stage.responses}
    if others := sorted(heard - set(stage.due)):
        return Verdict(Outcome.FAIL, expected, f"{stage.when} {', '.join(others)} answered as well")
    return Verdict(Outcome.PASS, expected, f"{stage.when} {', '.join(sorted(heard))} answered")
