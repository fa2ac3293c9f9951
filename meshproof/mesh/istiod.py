"""What an istiod knows, asked of its own debug interface.

Paths and fields are those of Istio's pilot/pkg/xds/debug.go; from its own pod nobody needs to show
who he is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from meshproof.errors import EvidenceError, LabError
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PodWorkload, find_workload, list_workloads
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh

ISTIOD_PORT = 15014
"""Where it answers about itself: its debug interface, and its metrics."""
_PANIC = re.compile(r"^panic: (.+)$", re.MULTILINE)
_LAST_LINES = 300
ISTIOD, CONTAINER = "istiod", "discovery"
"""What its pods are labelled as, and its Deployment is called but for a revision; and the container
that it runs in."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An endpoint of a service, as istiod has read it in a cluster. ``locality``: region, zone and
    subzone with slashes between them, "" where nothing says."""

    cluster: str
    address: str
    port: int
    locality: str


@dataclass(frozen=True, slots=True)
class Endings:
    """How often the istiods of a cluster have ended by themselves since they were made, and what
    one of them gave as the reason of its panic; "" where there was none."""

    count: int
    panic: str = ""


@dataclass(frozen=True, slots=True, order=True)
class NetworkGateway:
    """A gateway by which istiod leads other networks' proxies into a network."""

    network: str
    address: str
    port: int


def ask_istiod(mesh: Mesh, control_plane: str, page: str) -> Any:
    """A page of the debug interface of the istiod that runs in a cluster, such as "networkz".

    Raises EvidenceError when it does not answer, or not with JSON; LabError when no istiod runs
    there.
    """
    return debug(istiod_of(mesh, control_plane), page)


def istiod_of(mesh: Mesh, control_plane: str) -> PodWorkload:
    """An istiod that runs in a cluster. Raises LabError when none does."""
    return find_workload(mesh.cluster(control_plane), ISTIOD, SYSTEM, container=CONTAINER)


def debug(istiod: PodWorkload, page: str) -> Any:
    """The same of an istiod itself. Raises EvidenceError when it does not answer with JSON."""
    text = istiod.fetch(ISTIOD_PORT, f"debug/{page}")
    try:
        return json.loads(text)
    except ValueError:
        raise EvidenceError(f"{istiod} answered for {page} with {text[:100]!r}") from None


def up_since(mesh: Mesh, control_plane: str) -> float:
    """When the first of the istiods that run in a cluster came up, in seconds since the epoch.
    Raises LabError when none runs there."""
    cluster = mesh.cluster(control_plane)
    with lab_errors(f"look at the istiods of {cluster.name}"):
        pods = cluster.core.list_namespaced_pod(SYSTEM, label_selector=f"app={ISTIOD}").items
    begun: list[float] = [
        pod.status.start_time.timestamp() for pod in pods if pod.status.start_time
    ]
    if not begun:
        raise LabError(f"no istiod runs in {control_plane}")
    return min(begun)


def are_ready(mesh: Mesh, control_plane: str) -> bool:
    """Whether the istiods of a cluster are there and ready: to be asked by proxies and by the API
    server. Raises LabError."""
    found = _states(mesh.cluster(control_plane))
    return bool(found) and all(one.ready for one in found.values())


def endings(mesh: Mesh, control_plane: str) -> Endings:
    """How often istiods of a cluster have ended, by what the API knows. Raises LabError."""
    cluster = mesh.cluster(control_plane)
    ended = {name: one.restart_count + _is_over(one) for name, one in _states(cluster).items()}
    logs = [_last_log(cluster, name) for name, count in ended.items() if count]
    panics = [found[1] for found in map(_PANIC.search, logs) if found]
    return Endings(sum(ended.values()), panics[0] if panics else "")


def _states(cluster: RunningCluster) -> dict[str, client.V1ContainerStatus]:
    """What the API knows of each istiod's container, by its pod's name."""
    with lab_errors(f"look at the istiods of {cluster.name}"):
        pods = cluster.core.list_namespaced_pod(SYSTEM, label_selector=f"app={ISTIOD}").items
    return {
        pod.metadata.name: one
        for pod in pods
        for one in pod.status.container_statuses or []
        if one.name == CONTAINER
    }


def _is_over(one: client.V1ContainerStatus) -> bool:
    """Whether a container has ended and was not started again: at once, or while it is waited."""
    waiting = one.state.waiting is not None and one.last_state.terminated is not None
    return waiting or one.state.terminated is not None


def _last_log(cluster: RunningCluster, pod: str) -> str:
    """The end of what an istiod that has ended said; while it is being replaced, of its
    successor."""
    texts = []
    for previous in (True, False):
        with suppress(client.ApiException):
            read = cluster.core.read_namespaced_pod_log
            of = {"container": CONTAINER, "previous": previous, "tail_lines": _LAST_LINES}
            texts.append(read(pod, SYSTEM, **of))
    return "\n".join(texts)


def deployed(cluster: RunningCluster, name: str) -> client.V1Container:
    """The container of an istiod, as its Deployment of this name in a cluster has it. Raises
    LabError."""
    apps = client.AppsV1Api(cluster.api)
    with lab_errors(f"read Deployment {SYSTEM}/{name} in {cluster.name}"):
        found = apps.read_namespaced_deployment(name, SYSTEM)
    return next(one for one in found.spec.template.spec.containers if one.name == CONTAINER)


def known_instances(mesh: Mesh, control_plane: str, host: str, port: int) -> tuple[Instance, ...]:
    """The endpoints of a service that an istiod has read in all clusters; ``port``: of the pods.

    Raises as ``ask_istiod``.
    """
    shards = ask_istiod(mesh, control_plane, "endpointShardz").get(host, {})
    found = [
        Instance(
            one["Locality"]["ClusterID"], address, one["EndpointPort"], one["Locality"]["Label"]
        )
        for namespace in shards.values()
        for listed in namespace["Shards"].values()
        for one in listed
        for address in one["Addresses"][:1]
    ]
    return tuple(one for one in found if one.port == port)


def network_gateways(mesh: Mesh, control_plane: str) -> tuple[NetworkGateway, ...]:
    """The gateways that an istiod goes by, their host names resolved. Raises as ``ask_istiod``."""
    listed = ask_istiod(mesh, control_plane, "networkz") or []
    return tuple(sorted(NetworkGateway(one["Network"], one["Addr"], one["Port"]) for one in listed))


def clusters_known(mesh: Mesh, control_plane: str) -> dict[str, str]:
    """The clusters that an istiod has secrets of, each with what it says of it: "synced",
    "syncing", "timeout" or "closed". Raises as ``ask_istiod``."""
    return _states_of(ask_istiod(mesh, control_plane, "clusterz"))


def _states_of(listed: Any) -> dict[str, str]:
    return {one["id"]: one["syncStatus"] for one in listed or []}


def unread_by_each(mesh: Mesh, control_plane: str) -> dict[str, dict[str, str]]:
    """By each istiod's pod in a cluster what ``unread_clusters`` says of it. Raises as
    ``ask_istiod``."""
    pods = list_workloads(mesh.cluster(control_plane), ISTIOD, SYSTEM, container=CONTAINER)
    due = mesh.deployment.topology.reads(control_plane)
    return {one.name: _unread(debug(one, "clusterz"), due) for one in pods}


def unread_clusters(mesh: Mesh, control_plane: str) -> dict[str, str]:
    """The clusters that an istiod should read and does not, each with what it says of it, as
    ``clusters_known`` does, or "unknown". Raises as ``ask_istiod``."""
    due = mesh.deployment.topology.reads(control_plane)
    return _unread(ask_istiod(mesh, control_plane, "clusterz"), due)


def _unread(listed: Any, due: Iterable[str]) -> dict[str, str]:
    known = _states_of(listed)
    states = {name: known.get(name, "unknown") for name in due}
    return {name: state for name, state in states.items() if state != "synced"}
