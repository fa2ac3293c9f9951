"""What is done to an istiod itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import kubernetes.client

from meshproof.errors import MeshproofError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.rollout import await_rollout, change_template
from meshproof.kube.seam import lab_errors
from meshproof.mesh.istiod import CONTAINER, ISTIOD, deployed, istiod_of
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.process import Shell
from meshproof.traffic.connected import await_proxies
from meshproof.traffic.settle import healed
from meshproof.workloads.sample import Sample

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


@contextmanager
def istiods_set(sample: Sample, variables: Mapping[str, str]) -> Iterator[None]:
    """Every control plane's istiod has these environment variables inside the block, and all
    proxies have their configuration from such istiods; afterwards it has those of before, or the
    mesh is marked dirty. Each time istiods are replaced one by one.

    Raises LabError when an istiod does not come up, WaitTimeoutError when a proxy does not come
    back to one.
    """
    mesh = sample.mesh
    name = mesh.blueprint.revised(ISTIOD)
    try:
        with ExitStack() as stack:
            for member in mesh.deployment.topology.control_planes:
                cluster = mesh.cluster(member.name)
                stack.enter_context(_with_variables(cluster, name, variables, mesh.shell))
            await_proxies(sample)
            yield
    finally:
        try:
            await_proxies(sample)
        except MeshproofError as error:
            mesh.mark_dirty(f"istiods have their own settings again, but {error.cause}")
        healed(sample)


@contextmanager
def _with_variables(
    cluster: RunningCluster, name: str, variables: Mapping[str, str], shell: Shell
) -> Iterator[None]:
    container = deployed(cluster, name)
    own = {one.name: one.value for one in container.env or [] if one.name in variables}

    def change(env: list[dict[str, Any]]) -> None:
        template = {"spec": {"containers": [{"name": CONTAINER, "env": env}]}}
        change_template(cluster, SYSTEM, name, template)
        await_rollout(cluster, SYSTEM, {name}, shell)

    try:
        change([{"name": key, "value": value} for key, value in variables.items()])
        yield
    finally:
        change(
            [
                {"name": key, "value": own[key]}
                if key in own
                else {"name": key, "$patch": "delete"}
                for key in variables
            ]
        )
