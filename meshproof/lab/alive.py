"""Whether a lab still runs: what a test sees of a lab that has died says nothing of the mesh."""

from __future__ import annotations

from meshproof.engine import Engine
from meshproof.errors import MeshproofError
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import in_words
from meshproof.lab.base import Lab
from meshproof.model import Capability
from meshproof.process import Shell

_PATIENCE = 5.0


def lost_part(lab: Lab) -> str | None:
    """What of the lab does not answer any more: a cluster's API server, and as far as they are ours
    to look at a node, a machine, the router."""
    ours = Capability.ROUTER in lab.capabilities
    engine = lab.engine if ours else None
    if engine is not None and engine.shell.cancelled:
        # Since a step beside others failed, which says nothing of the lab.
        engine = type(engine)(Shell(lab.recorder))
    for cluster in lab.clusters.values():
        reason = _lost_cluster(engine, cluster)
        if reason:
            return f"cluster {cluster.name} is lost: {reason}"
    if engine is None:
        return None
    for machine in lab.machines.values():
        reason = _lost_container(engine, machine.container)
        if reason:
            return f"{machine} is lost: {reason}"
    reason = _lost_container(engine, lab.router.container)
    return f"the router is lost: {reason}" if reason else None


def _lost_cluster(engine: Engine | None, cluster: RunningCluster) -> str | None:
    try:
        if engine is not None:
            for node in cluster.nodes:
                if reason := _lost_container(engine, node.container):
                    return reason
        client.VersionApi(cluster.api).get_code(_request_timeout=_PATIENCE)
    except (client.ApiException, client.HTTPError, OSError) as error:
        return f"its API server does not answer: {in_words(error)}"
    return None


def _lost_container(engine: Engine, container: str) -> str | None:
    try:
        engine.exec(container, ["true"], timeout=_PATIENCE)
    except MeshproofError as error:
        return error.cause if container in error.cause else f"container {container}: {error.cause}"
    return None
