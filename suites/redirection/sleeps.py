"""Sleeps that differ in the ranges whose traffic their sidecars take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from ipaddress import IPv4Network

from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout
from meshproof.workloads.sample import NAMESPACE, Sample, sleep_objects

_ANNOTATION = "traffic.sidecar.istio.io/includeOutboundIPRanges"


class Taken(Enum):
    """What a sidecar takes of the traffic that its pod sends."""

    EVERYTHING = "everything"
    LISTED = "listed"
    """The pod and service ranges of all clusters."""
    NO_REMOTE_PODS = "no-remote-pods"
    """All those but the other clusters' pods."""
    NO_LOCAL_SERVICES = "no-local-services"
    """All those but its own cluster's services."""

    @property
    def sleep(self) -> str:
        """The sleep whose sidecar takes this."""
        return f"sleep-{self.value}"


def ranges(sample: Sample, cluster: str, taken: Taken) -> str:
    """The annotation's value for a cluster's sleep."""
    if taken is Taken.EVERYTHING:
        return "*"
    listed: list[IPv4Network] = []
    for one in (member.cluster for member in sample.mesh.deployment.topology.members):
        own = one.name == cluster
        listed += [] if taken is Taken.NO_REMOTE_PODS and not own else [one.pods]
        listed += [] if taken is Taken.NO_LOCAL_SERVICES and own else [one.services]
    return ",".join(map(str, listed))


def calling_cluster(sample: Sample) -> str:
    """Where calls are made: what a sidecar takes is decided in its pod, so one cluster will do;
    the last that has a version, whose pods are injected by another cluster's istiod where there is
    such a cluster."""
    return sample.homes[-1]


@contextmanager
def sleeps(sample: Sample) -> Iterator[str]:
    """The calling cluster, which is given, has a sleep of each kind inside the block."""
    name = calling_cluster(sample)
    cluster = sample.mesh.cluster(name)
    with applied(cluster, [made for kind in Taken for made in _objects(sample, name, kind)]):
        await_rollout(cluster, NAMESPACE, {kind.sleep for kind in Taken}, sample.mesh.shell)
        try:
            yield name
        finally:
            for kind in Taken:
                sample.callers.pop((name, f"{NAMESPACE}/{kind.sleep}"), None)


def _objects(sample: Sample, cluster: str, taken: Taken) -> list[Object]:
    noted = {_ANNOTATION: ranges(sample, cluster, taken)}
    return sleep_objects(name=taken.sleep, annotations=noted)
