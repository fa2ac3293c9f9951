"""Whether a lab still runs: what a test sees of a lab that has died says nothing of the mesh."""

from __future__ import annotations

import kubernetes.client
from urllib3.exceptions import HTTPError

from meshproof.errors import MeshproofError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import in_words
from meshproof.lab.lab import Lab

_PATIENCE = 5.0


def lost_part(lab: Lab) -> str | None:
    """What of the lab does not answer any more: a cluster's API server, a node, the router."""
    for cluster in lab.clusters.values():
        reason = _lost_cluster(lab, cluster)
        if reason:
            return f"cluster {cluster.name} is lost: {reason}"
    reason = _lost_container(lab, lab.router.container)
    return f"the router is lost: {reason}" if reason else None


def _lost_cluster(lab: Lab, cluster: RunningCluster) -> str | None:
    for node in cluster.nodes:
        reason = _lost_container(lab, node.container)
        if reason:
            return reason
    try:
        kubernetes.client.VersionApi(cluster.api).get_code(_request_timeout=_PATIENCE)
    except (kubernetes.client.ApiException, HTTPError, OSError) as error:
        return f"its API server does not answer: {in_words(error)}"
    return None


def _lost_container(lab: Lab, container: str) -> str | None:
    try:
        lab.engine.exec(container, ["true"], timeout=_PATIENCE)
    except MeshproofError as error:
        return f"container {container}: {error.cause}"
    return None
