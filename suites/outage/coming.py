"""A pod that is asked for while no istiod runs, and comes once one does."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress

from meshproof.errors import WaitTimeoutError
from meshproof.faults.istiod import istiod_stopped
from meshproof.kube import RunningCluster
from meshproof.kube.rollout import is_rolled_out, pods_of, refusal_of
from meshproof.kube.workload import list_workloads
from meshproof.traffic.connected import await_proxies
from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_over import Found, over
from meshproof.wait import eventually
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, Sample
from meshproof.workloads.scale import asked_for, usual
from suites.outage.claims import Tried

_COMES_WITHIN = 60.0
"""Seconds until a pod that was refused is there, at least: nobody promises any."""
_REFUSED_WITHIN = 60.0
"""Seconds: an API server waits ten for a webhook that does not answer."""
_AWAY = 10.0
_AFTERWARDS = 20.0


def newcomer_without_istiod(sample: Sample) -> tuple[Found, Tried]:
    """What comes of calls, and of a pod that is asked for, while no istiod runs, and when it is
    back."""
    version = next(iter(sample.versions))
    cluster, name = sample.mesh.cluster(sample.versions[version]), f"{HELLOWORLD}-{version}"
    told: list[Tried] = []

    def doing(stream: Stream, stack: ExitStack) -> None:
        before = pods_of(cluster, NAMESPACE, name)
        with ExitStack() as away:
            with stream.mark("no istiod runs"):
                for member in sample.topology.control_planes:
                    there = sample.mesh.cluster(member.name)
                    away.enter_context(istiod_stopped(there, sample.mesh.shell))
            asked = time.monotonic()
            with stream.mark(f"{version} is to get another instance"):
                stack.enter_context(asked_for(sample, version, usual(sample, version) + 1))
            refusal = said_of(cluster, name)
            stream.flow_for(_AWAY)
            came = sorted(pods_of(cluster, NAMESPACE, name) - before)
            with stream.mark("istiod is there again"):
                away.close()
                within = patience(time.monotonic() - asked)
                seconds = awaited(cluster, name, within)
                await_proxies(sample)
        new = pods_of(cluster, NAMESPACE, name) - before
        pods = [one for one in list_workloads(cluster, HELLOWORLD, NAMESPACE) if one.name in new]
        sidecar = bool(pods) and all(one.sidecar for one in pods)
        told.append(Tried(version, refusal, came, seconds, within, sidecar))
        stream.flow_for(_AFTERWARDS)

    return over(sample, doing, more={version: 1}), told[0]


def said_of(cluster: RunningCluster, name: str, within: float = _REFUSED_WITHIN) -> str:
    """What Kubernetes says of the pods of a Deployment that it does not make; "" when it says
    nothing within so many seconds. Raises LabError."""
    with suppress(WaitTimeoutError):
        return eventually(
            lambda: refusal_of(cluster, NAMESPACE, name),
            what=f"a refusal of pods of {name} in {cluster.name}",
            within=within,
        )
    return ""


def patience(refused: float) -> float:
    """In how many seconds a pod is to come that was refused for so many: Kubernetes tries again
    after ever longer times, each about as long as all before it
    (``DefaultTypedControllerRateLimiter`` in client-go)."""
    return max(_COMES_WITHIN, 2 * refused)


def awaited(cluster: RunningCluster, name: str, within: float) -> float | None:
    """Wait until a Deployment has all its pods; returns how many seconds that took, None where it
    took longer than it may. Raises LabError."""
    begin = time.monotonic()
    what = f"all pods of {name} in {cluster.name}"
    with suppress(WaitTimeoutError):
        # Not as others wait for a rollout: they give up on pods that were refused for a while.
        eventually(
            lambda: is_rolled_out(cluster, NAMESPACE, name),
            what=what,
            within=within,
            every=0.5,
        )
        return time.monotonic() - begin
    return None
