"""Breaks an east-west gateway: its pods, its address, or a second one beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

from meshproof.errors import LabError
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import Object, applied, read
from meshproof.kube.rollout import await_no_pods, await_rollout, scale
from meshproof.kube.seam import lab_errors
from meshproof.lab.base import Lab
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import GATEWAY
from meshproof.process import Shell

SECOND = f"{GATEWAY}-second"
_LABEL = f"app={GATEWAY}"
_WITHIN = 90.0


def kill_gateway(cluster: RunningCluster) -> None:
    """End the pods of a cluster's gateway at once, without any grace, and wait until others are
    ready in their place. Raises LabError."""
    with lab_errors(f"kill the gateway of {cluster.name}"):
        cluster.core.delete_collection_namespaced_pod(
            SYSTEM, label_selector=_LABEL, grace_period_seconds=0
        )
    await_rollout(cluster, SYSTEM, {GATEWAY}, cluster.shell)


def kill_gateway_pod(cluster: RunningCluster) -> None:
    """End the oldest pod of a cluster's gateway at once, without any grace: that one which leads
    most connections. What comes in its place is not waited for. Raises LabError."""
    with lab_errors(f"kill a pod of the gateway of {cluster.name}"):
        pods = cluster.core.list_namespaced_pod(SYSTEM, label_selector=_LABEL).items
        if not pods:
            raise LabError(f"the gateway of {cluster.name} has no pods")
        oldest = min(pods, key=lambda pod: pod.metadata.creation_timestamp)
        cluster.core.delete_namespaced_pod(oldest.metadata.name, SYSTEM, grace_period_seconds=0)


@contextmanager
def gateway_scaled(cluster: RunningCluster, replicas: int, shell: Shell) -> Iterator[None]:
    """The gateway of a cluster has so many pods inside the block; 0 for none: those that there are
    end in good order. In force when they are ready, or gone; afterwards it has as many as before.

    Raises LabError as ``await_rollout``.
    """
    apps = client.AppsV1Api(cluster.api)
    with lab_errors(f"read the gateway of {cluster.name}"):
        before = apps.read_namespaced_deployment(GATEWAY, SYSTEM).spec.replicas
    try:
        _scale(cluster, replicas, shell)
        yield
    finally:
        _scale(cluster, before, shell)


@contextmanager
def gateway_moved(lab: Lab, cluster: str) -> Iterator[IPv4Address]:
    """The gateway of a cluster has another address inside the block, and nobody answers at the old
    one any more; afterwards it has its own again. In force, and healed, when kube-proxy serves it.

    One that is announced by a host name gets another name. Gives the new address. Raises LabError
    where there is none to be moved.
    """
    addresses = lab.addresses[cluster]
    own = addresses.reserve(SYSTEM, GATEWAY)
    try:
        yield addresses.move(SYSTEM, GATEWAY)
    finally:
        addresses.move(SYSTEM, GATEWAY, to=own)


@contextmanager
def second_gateway(lab: Lab, cluster: str) -> Iterator[IPv4Address]:
    """A cluster's gateway is entered at a second address as well inside the block, that of a
    Service beside its own with the same labels, ports and pods: to istiod it is another gateway of
    the network. In force when kube-proxy serves it. Gives its address. Raises LabError."""
    running = lab.clusters[cluster]
    try:
        with applied(running, [_beside(running)]):
            yield lab.addresses[cluster].give(SYSTEM, SECOND)
    finally:
        lab.addresses[cluster].take_back(SYSTEM, SECOND)


def out_of_service(cluster: RunningCluster) -> None:
    """Take the labels off a cluster's second gateway, by which istiod knows it: proxies go on to it
    until they are told otherwise, and it still answers. Raises LabError."""
    labels = _beside(cluster)["metadata"]["labels"]
    with lab_errors(f"take {SECOND} of {cluster.name} out of service"):
        patch = {"metadata": {"labels": dict.fromkeys(labels)}}
        cluster.core.patch_namespaced_service(SECOND, SYSTEM, patch)


def _beside(cluster: RunningCluster) -> Object:
    own = read(
        cluster,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": GATEWAY, "namespace": SYSTEM},
        },
    )
    if own is None:
        raise LabError(f"{cluster.name} has no gateway beside which there could be another")
    ports = [
        {"name": one["name"], "port": one["port"], "targetPort": one["targetPort"]}
        for one in own["spec"]["ports"]
    ]
    # Helm and istioctl know their own by such labels: what is not theirs must not bear them.
    labels = {
        key: value
        for key, value in own["metadata"].get("labels", {}).items()
        if not key.startswith(("install.operator", "operator.istio.io", "app.kubernetes.io"))
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SECOND, "namespace": SYSTEM, "labels": labels},
        "spec": {"type": "LoadBalancer", "selector": own["spec"]["selector"], "ports": ports},
    }


def _scale(cluster: RunningCluster, replicas: int, shell: Shell) -> None:
    scale(cluster, SYSTEM, {GATEWAY: replicas})
    await_rollout(cluster, SYSTEM, {GATEWAY}, shell)
    if replicas == 0:
        await_no_pods(cluster, SYSTEM, _LABEL, within=_WITHIN)
