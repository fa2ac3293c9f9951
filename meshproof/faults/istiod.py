"""What is done to an istiod itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from meshproof.errors import LabError, MeshproofError
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.rollout import await_no_pods, await_rollout, change_template, scale
from meshproof.kube.seam import lab_errors
from meshproof.mesh.istiod import CONTAINER, ISTIOD, deployed, istiod_of
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.process import Shell
from meshproof.traffic.connected import await_proxies
from meshproof.traffic.settle import await_drained, healed
from meshproof.workloads.sample import Sample

_LABEL = f"app={ISTIOD}"
_PROGRAM = "pilot-discovery"


def restart_istiod(cluster: RunningCluster, shell: Shell) -> None:
    """End the istiods of a cluster, and wait until others are ready in their place.

    Raises LabError when none runs there, or when they do not come back.
    """
    names = _replicas(cluster)
    with lab_errors(f"restart istiod in {cluster.name}"):
        _delete(cluster)
    await_rollout(cluster, SYSTEM, names, shell)


def kill_istiod(cluster: RunningCluster, shell: Shell) -> None:
    """End the istiods of a cluster at once, without any grace, and wait until others are ready in
    their place. Raises LabError as ``restart_istiod``."""
    names = _replicas(cluster)
    with lab_errors(f"kill istiod in {cluster.name}"):
        _delete(cluster, grace=0)
    await_rollout(cluster, SYSTEM, names, shell)


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


@contextmanager
def istiod_stopped(cluster: RunningCluster, shell: Shell) -> Iterator[None]:
    """No istiod runs in a cluster inside the block. In force when their pods are gone; healed when
    as many as before are ready.

    Raises LabError when there is none, or they do not come back.
    """
    before = _replicas(cluster)

    def have(replicas: Mapping[str, int]) -> None:
        scale(cluster, SYSTEM, replicas)
        await_rollout(cluster, SYSTEM, replicas, shell)

    try:
        have(dict.fromkeys(before, 0))
        await_no_pods(cluster, SYSTEM, _LABEL, within=60)
        yield
    finally:
        have(before)


@contextmanager
def istiod_slow(cluster: RunningCluster, shell: Shell, processors: str = "20m") -> Iterator[None]:
    """The istiods of a cluster may use only so much of a processor inside the block (as Kubernetes
    writes it); they are replaced for that, and again afterwards. In force, and healed, when the
    new ones are ready. Raises LabError."""
    own = {name: deployed(cluster, name).resources.limits for name in _replicas(cluster)}

    def limit(limits: Mapping[str, Any]) -> None:
        for name, found in limits.items():
            container = {"name": CONTAINER, "resources": {"limits": found}}
            change_template(cluster, SYSTEM, name, {"spec": {"containers": [container]}})
        await_rollout(cluster, SYSTEM, limits, shell, within=300)

    try:
        limit({name: {"cpu": processors} for name in own})
        yield
    finally:
        # In a patch what is to go is named.
        limit({name: {"cpu": None, **(found or {})} for name, found in own.items()})


def _replicas(cluster: RunningCluster) -> dict[str, int]:
    """How many istiods there are to be, by the names of their Deployments."""
    apps = client.AppsV1Api(cluster.api)
    with lab_errors(f"look for istiod in {cluster.name}"):
        found = apps.list_namespaced_deployment(SYSTEM, label_selector=_LABEL).items
    if not found:
        raise LabError(f"no istiod runs in {cluster.name}", "name a cluster that runs one")
    return {one.metadata.name: one.spec.replicas for one in found}


def _delete(cluster: RunningCluster, grace: int = 1) -> None:
    cluster.core.delete_collection_namespaced_pod(
        SYSTEM, label_selector=_LABEL, grace_period_seconds=grace
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
            await_drained(sample)  # what they are sent now may have them listen anew
            yield
    finally:
        proxies_healed(sample, "istiods have their own settings again")


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


def proxies_healed(sample: Sample, done: str) -> None:
    """After istiods were broken on purpose and what is ``done`` about it, in words: wait until
    proxies are connected and the mesh is at rest again, or mark it dirty."""
    try:
        await_proxies(sample)
    except MeshproofError as error:
        sample.mesh.mark_dirty(f"{done}, but {error.cause}")
    healed(sample)
