"""Breaks the pods of a version: they are killed, not ready, fail, or answer late."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from meshproof.errors import LabError
from meshproof.faults.servers import ALWAYS, FILTER, fault_filter
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import Object, applied, read
from meshproof.kube.rollout import await_rollout
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PROXY, PodWorkload, list_workloads
from meshproof.lab.base import Lab
from meshproof.mesh.config_dump import inbound_chains
from meshproof.wait import eventually
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT

_READINESS = 15021
"""The port at which kubelet asks a sidecar whether its pod is ready
(https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio)."""
_KIND = "envoyfilters.networking.istio.io"
_WITHIN = 150.0
"""Seconds: kubelet asks four times, every fifteen seconds, before a pod is not ready."""


def kill_pods(cluster: RunningCluster, version: str) -> None:
    """End the pods of a version in a cluster at once, without any grace, and wait until others are
    ready in their place. Raises LabError where there are none."""
    pods_of_version(cluster, version)
    with lab_errors(f"kill the pods of {version} in {cluster.name}"):
        cluster.core.delete_collection_namespaced_pod(
            NAMESPACE, label_selector=_labels(version), grace_period_seconds=0
        )
    await_rollout(cluster, NAMESPACE, {f"{HELLOWORLD}-{version}"}, cluster.shell)


@contextmanager
def pods_unready(cluster: RunningCluster, version: str) -> Iterator[None]:
    """The pods of a version in a cluster are not ready inside the block: kubelet's questions do not
    reach their sidecars, and all else does. Pods that come meanwhile are. In force, and healed,
    when Kubernetes says so. Raises LabError where there are none."""
    pods = pods_of_version(cluster, version)
    table = f"fault_{secrets.token_hex(3)}"
    try:
        for node in dict.fromkeys(one.node for one in pods):
            here = [one for one in pods if one.node == node]
            cluster.on_node(node, "nft", "-f", "-", input=_unasked(table, here))
        _await_ready(cluster, pods, ready=False)
        yield
    finally:
        for node in dict.fromkeys(one.node for one in pods):
            cluster.on_node(node, "nft", "delete", "table", "inet", table, check=False)
        _await_ready(cluster, pods, ready=True)


@contextmanager
def pods_failing(lab: Lab, version: str, status: int = 503) -> Iterator[None]:
    """Every request to a version is answered with this status by its own proxy inside the block,
    so that callers' proxies take it for the version's doing. In force, and healed, when its proxies
    say so. Raises LabError where there is no such version, or no mesh."""
    abort = {"abort": {"http_status": status, "percentage": ALWAYS}}
    with _filtered(lab, version, abort):
        yield


@contextmanager
def pods_slow(lab: Lab, version: str, seconds: float) -> Iterator[None]:
    """Every request to a version is answered so much later inside the block. In force, and healed,
    as ``pods_failing``. Raises as it does."""
    delay = {"delay": {"fixed_delay": f"{seconds:.3f}s", "percentage": ALWAYS}}
    with _filtered(lab, version, delay):
        yield


def pods_of_version(cluster: RunningCluster, version: str) -> list[PodWorkload]:
    """The pods of a version in a cluster, by their proxies. Raises LabError where there are
    none."""
    listed = list_workloads(cluster, HELLOWORLD, NAMESPACE, container=PROXY)
    found = [one for one in listed if one.version == version]
    if not found:
        there = sorted({one.version for one in listed})
        raise LabError(
            f"no pod of '{version}' runs in {cluster.name}",
            f"name {' or '.join(there) or 'others'}",
        )
    return found


@contextmanager
def _filtered(lab: Lab, version: str, fault: Object) -> Iterator[None]:
    """Wherever an istiod may read its configuration there is a filter for a version's proxies."""
    running = [one for one in lab.clusters.values() if _takes_filters(one)]
    if not running:
        raise LabError(f"no mesh is installed in lab {lab.id}")
    pods = [
        one
        for cluster in lab.clusters.values()
        for one in list_workloads(cluster, HELLOWORLD, NAMESPACE, container=PROXY)
        if one.version == version
    ]
    if not pods:
        raise LabError(f"no pod of '{version}' runs in lab {lab.id}")
    made = fault_filter(f"fault-{secrets.token_hex(3)}", version, fault)

    def have(*, it: bool) -> bool:
        return all((FILTER in inbound_chains(one, PORT)) is it for one in pods)

    try:
        with ExitStack() as stack:
            for cluster in running:
                stack.enter_context(applied(cluster, [made]))
            eventually(lambda: have(it=True), what=f"{FILTER} in {version}", within=_WITHIN)
            yield
    finally:
        eventually(lambda: have(it=False), what=f"the end of {FILTER}", within=_WITHIN)


def _takes_filters(cluster: RunningCluster) -> bool:
    """Whether a cluster knows the kind, and has the namespace."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    kind = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": _KIND},
    }
    return all(read(cluster, one) is not None for one in (namespace, kind))


def _unasked(table: str, pods: Sequence[PodWorkload]) -> str:
    """Rules by which a node's kubelet has its questions about pods refused."""
    lines = [
        f"add table inet {table}",
        f"add chain inet {table} output {{ type filter hook output priority -10; }}",
        *(
            f"add rule inet {table} output ip daddr {one.address} tcp dport {_READINESS} "
            "reject with tcp reset"
            for one in pods
        ),
    ]
    return "".join(f"{one}\n" for one in lines)


def _await_ready(cluster: RunningCluster, pods: Sequence[PodWorkload], *, ready: bool) -> None:
    names = {one.name for one in pods}

    def others() -> list[str]:
        with lab_errors(f"list the pods of {HELLOWORLD} in {cluster.name}"):
            listed = cluster.core.list_namespaced_pod(NAMESPACE).items
        asked = [one for one in listed if one.metadata.name in names]
        return [one.metadata.name for one in asked if _is_ready(one) is not ready]

    word = "ready" if ready else "not ready"
    what = f"{', '.join(sorted(names))} of {cluster.name} {word}"
    eventually(others, until=lambda left: not left, what=what, within=_WITHIN, every=0.5)


def _is_ready(pod: client.V1Pod) -> bool:
    conditions = pod.status.conditions or []
    return any(one.type == "Ready" and one.status == "True" for one in conditions)


def _labels(version: str) -> str:
    return f"app={HELLOWORLD},version={version}"
