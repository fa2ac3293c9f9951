"""What is done to an istiod itself."""

from __future__ import annotations

import kubernetes.client

from meshproof.kube.cluster import RunningCluster
from meshproof.kube.rollout import await_rollout
from meshproof.kube.seam import lab_errors
from meshproof.mesh.istiod import ISTIOD, istiod_of
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.process import Shell

_LABEL = f"app={ISTIOD}"
_PROGRAM = "pilot-discovery"


def restart_istiod(cluster: RunningCluster, shell: Shell) -> None:
    """End the istiods of a cluster, and wait until others are ready in their place.

    Raises LabError when none runs there, or when they do not come back.
    """
    doing = f"restart istiod in {cluster.name}"
    with lab_errors(doing):
        apps = kubernetes.client.AppsV1Api(cluster.api)
        found = apps.list_namespaced_deployment(SYSTEM, label_selector=_LABEL).items
        _delete(cluster)
    await_rollout(cluster, SYSTEM, {one.metadata.name for one in found}, shell)


def replace_istiod(cluster: RunningCluster) -> None:
    """End the istiods of a cluster, so that others come in their place: at once, also where one
    that has ended too often is made to wait. Raises LabError."""
    with lab_errors(f"replace istiod in {cluster.name}"):
        _delete(cluster)


def end_istiod(mesh: Mesh, control_plane: str) -> None:
    """End the program of a cluster's istiod on its node, as a fault of its own would: its pod
    stays, and starts it again. Raises LabError."""
    istiod = istiod_of(mesh, control_plane)
    istiod.running.on_node(istiod.node, "pkill", "-x", _PROGRAM)


def _delete(cluster: RunningCluster) -> None:
    cluster.core.delete_collection_namespaced_pod(
        SYSTEM, label_selector=_LABEL, grace_period_seconds=1
    )
