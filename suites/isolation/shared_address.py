"""An address that pods of two clusters have, while a mesh runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address

from meshproof.errors import EvidenceError
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_no_pods, await_rollout, scale
from meshproof.kube.seam import lab_errors
from meshproof.model import Pair
from meshproof.traffic import Target
from meshproof.workloads.echo import HIGH, echo_pod
from meshproof.workloads.sample import OUTSIDE, Sample

_NAME = "twin"
_LABEL = f"app={_NAME}"
# A node has room for 110 pods.
_MOST = 60


@contextmanager
def shared_target(sample: Sample, pair: Pair) -> Iterator[Target]:
    """A pod of the second cluster that answers, at an address that a pod of the first has as well;
    both are there inside the block and gone afterwards.

    Nodes hand out addresses in ascending order: one pod in each cluster tells how far they are, and
    the one that lags behind gets as many more as are between them. Raises EvidenceError when no
    address comes to exist in both, LabError where pods do not run.
    """
    caller, called = (sample.mesh.cluster(name) for name in pair)
    nodes = _alike(caller, called)
    with ExitStack() as stack:
        for cluster, node in zip((caller, called), nodes, strict=True):
            stack.callback(await_no_pods, cluster, OUTSIDE, _LABEL, within=60)
            stack.enter_context(applied(cluster, [_deployment(cluster.name, node)]))
            await_rollout(cluster, OUTSIDE, {_NAME}, sample.mesh.shell)
        _catch_up(sample, caller, called)
        shared = set(_addresses(caller)) & set(_addresses(called))
        if not shared:
            raise EvidenceError(
                f"no address came to exist both in {caller.name} and in {called.name}"
            )
        yield Target(f"an echo in {called.name}", min(shared), HIGH)


def _catch_up(sample: Sample, *clusters: RunningCluster) -> None:
    newest = {cluster: max(_addresses(cluster)) for cluster in clusters}
    behind = min(newest, key=lambda cluster: newest[cluster])
    missing = int(max(newest.values())) - int(newest[behind])
    if missing > _MOST:
        raise EvidenceError(f"the addresses of {behind.name}'s pods lag by {missing}")
    if missing:
        scale(behind, OUTSIDE, {_NAME: 1 + missing})
        await_rollout(behind, OUTSIDE, {_NAME}, sample.mesh.shell)


def _alike(caller: RunningCluster, called: RunningCluster) -> tuple[str, str]:
    """A node of each whose pods have addresses of one range."""
    there = {cidr: name for name, cidr in _ranges(called)}
    for name, cidr in _ranges(caller):
        if cidr in there:
            return name, there[cidr]
    raise EvidenceError(f"no node of {caller.name} has the pods' range of one of {called.name}")


def _ranges(cluster: RunningCluster) -> list[tuple[str, str]]:
    with lab_errors(f"list the nodes of {cluster.name}"):
        return [(one.metadata.name, one.spec.pod_cidr) for one in cluster.core.list_node().items]


def _deployment(says: str, node: str) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": _NAME, "namespace": OUTSIDE},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": _NAME}},
            "template": echo_pod(_NAME, says, node),
        },
    }


def _addresses(cluster: RunningCluster) -> list[IPv4Address]:
    return [IPv4Address(one.status.pod_ip) for one in _pods(cluster) if one.status.pod_ip]


def _pods(cluster: RunningCluster) -> list[client.V1Pod]:
    with lab_errors(f"list the echoes of {cluster.name}"):
        listed = cluster.core.list_namespaced_pod(OUTSIDE, label_selector=_LABEL)
    found: list[client.V1Pod] = listed.items
    return found
