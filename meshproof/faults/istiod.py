"""What is done to an istiod itself."""

from __future__ import annotations

import kubernetes.client

from meshproof.kube.cluster import RunningCluster
from meshproof.kube.rollout import await_rollout
from meshproof.kube.seam import lab_errors
from meshproof.mesh.istiod import ISTIOD
from meshproof.mesh.manifests import SYSTEM
from meshproof.process import Shell

_LABEL = f"app={ISTIOD}"


def restart_istiod(cluster: RunningCluster, shell: Shell) -> None:
    """End the istiods of a cluster, and wait until others are ready in their place.

    Raises LabError when none runs there, or when they do not come back.
    """
    doing = f"restart istiod in {cluster.name}"
    with lab_errors(doing):
        apps = kubernetes.client.AppsV1Api(cluster.api)
        found = apps.list_namespaced_deployment(SYSTEM, label_selector=_LABEL).items
        cluster.core.delete_collection_namespaced_pod(
            SYSTEM, label_selector=_LABEL, grace_period_seconds=1
        )
    await_rollout(cluster, SYSTEM, {one.metadata.name for one in found}, shell)
