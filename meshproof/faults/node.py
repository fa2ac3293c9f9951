"""Stops the nodes of a cluster, and starts them again; drains one of several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus

from meshproof.errors import LabError
from meshproof.kube import client
from meshproof.kube.cluster import Node, RunningCluster
from meshproof.kube.rollout import await_rollout, scale
from meshproof.kube.seam import lab_errors
from meshproof.lab.base import Lab
from meshproof.lab.restart import await_return, put_back
from meshproof.wait import eventually

_MIRROR = "kubernetes.io/config.mirror"
"""Of what kubelet runs by itself, which nobody can evict."""
_ENDED = ("Succeeded", "Failed")
_EMPTY_WITHIN = 240.0
Owner = tuple[str, str]
"""A Deployment: its namespace, and its name."""


@contextmanager
def nodes_stopped(lab: Lab, cluster: str) -> Iterator[None]:
    """Every node of a cluster is stopped inside the block, at once and without warning, as by a
    power failure; afterwards they run again at their own addresses, wired as before, and every pod
    was started anew and is ready. Pods have other addresses then.

    Raises LabError when the lab does not come back.
    """
    about = lab.claim.read()
    if about is None or cluster not in about.nodes:
        raise LabError(f"nobody noted which nodes cluster '{cluster}' of lab {lab.id} has")
    try:
        lab.engine.command("kill", *about.nodes[cluster])
        yield
    finally:
        hurt = put_back(lab, about)
        lab.rewire(lab.wiring)
        await_return(lab, hurt)


@contextmanager
def node_drained(cluster: RunningCluster, node: Node) -> Iterator[None]:
    """A node takes no pods inside the block, and those that it had were evicted, as `kubectl drain
    --ignore-daemonsets` does (https://kubernetes.io/docs/tasks/administer-cluster/
    safely-drain-node/): budgets are kept. A Deployment of which one says that no pod may go has one
    pod more meanwhile, as its administrator would see to. In force when the node is empty and what
    left it is ready elsewhere; afterwards it takes pods again, and nothing comes back by itself.

    Raises LabError, and WaitTimeoutError that names what does not go.
    """
    more: dict[Owner, None] = {}
    moved: dict[Owner, None] = {}

    with ExitStack() as stack:

        def left() -> list[str]:
            there = _pods_to_go(cluster, node)
            for pod in there:
                owner = _deployment_of(cluster, pod)
                if owner is not None:
                    moved.setdefault(owner)
                if pod.metadata.deletion_timestamp is not None or _evicted(cluster, pod):
                    continue
                if owner is not None and owner not in more:
                    more.setdefault(owner)
                    stack.enter_context(_one_more(cluster, owner))
            return [f"{one.metadata.namespace}/{one.metadata.name}" for one in there]

        _let_in(cluster, node, no=True)
        stack.callback(_let_in, cluster, node, no=False)
        what = f"the end of all pods on {node.container}"
        eventually(left, until=lambda pods: not pods, what=what, within=_EMPTY_WITHIN, every=1.0)
        for namespace, name in moved:
            await_rollout(cluster, namespace, {name}, cluster.shell)
        yield


def _pods_to_go(cluster: RunningCluster, node: Node) -> list[client.V1Pod]:
    """The pods on a node, but for those that are of the node itself."""
    with lab_errors(f"list the pods on {node.container}"):
        listed = cluster.core.list_pod_for_all_namespaces(
            field_selector=f"spec.nodeName={node.container}"
        ).items
    return [
        one
        for one in listed
        if one.status.phase not in _ENDED
        and _MIRROR not in (one.metadata.annotations or {})
        and not any(owner.kind == "DaemonSet" for owner in one.metadata.owner_references or [])
    ]


def _evicted(cluster: RunningCluster, pod: client.V1Pod) -> bool:
    """Ask for a pod's eviction; False where a PodDisruptionBudget does not allow it now."""
    name, namespace = pod.metadata.name, pod.metadata.namespace
    asked = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
    }
    with lab_errors(f"evict pod {namespace}/{name} in {cluster.name}"):
        try:
            cluster.core.create_namespaced_pod_eviction(name, namespace, asked)
        except client.ApiException as error:
            if error.status == HTTPStatus.TOO_MANY_REQUESTS:
                return False
            if error.status != HTTPStatus.NOT_FOUND:
                raise
    return True


def _deployment_of(cluster: RunningCluster, pod: client.V1Pod) -> Owner | None:
    """The Deployment that a pod is of; None where it is of none."""
    namespace = pod.metadata.namespace
    sets = [one for one in pod.metadata.owner_references or [] if one.kind == "ReplicaSet"]
    with lab_errors(f"find the Deployment of pod {namespace}/{pod.metadata.name}"):
        for one in sets:
            found = client.AppsV1Api(cluster.api).read_namespaced_replica_set(one.name, namespace)
            for owner in found.metadata.owner_references or []:
                if owner.kind == "Deployment":
                    return namespace, owner.name
    return None


@contextmanager
def _one_more(cluster: RunningCluster, owner: Owner) -> Iterator[None]:
    """A Deployment has one pod more inside the block, which is ready."""
    namespace, name = owner
    with lab_errors(f"read Deployment {namespace}/{name} in {cluster.name}"):
        found = client.AppsV1Api(cluster.api).read_namespaced_deployment(name, namespace)
    before = found.spec.replicas
    try:
        scale(cluster, namespace, {name: before + 1})
        await_rollout(cluster, namespace, {name}, cluster.shell)
        yield
    finally:
        scale(cluster, namespace, {name: before})
        await_rollout(cluster, namespace, {name}, cluster.shell)


def _let_in(cluster: RunningCluster, node: Node, *, no: bool) -> None:
    """Whether new pods may come to a node."""
    with lab_errors(f"let pods come to {node.container}, or not"):
        cluster.core.patch_node(node.container, {"spec": {"unschedulable": no}})
