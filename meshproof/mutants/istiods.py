"""The istiods of a mesh: which mutant is on in them, and what they answer when they are asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import kubernetes.client

from meshproof.errors import MeshproofError
from meshproof.kube.rollout import await_rollout
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import Workload, find_workload
from meshproof.mesh.gateways import gateway_workload
from meshproof.mesh.istiod import CONTAINER, ISTIOD, debug, istiod_of
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.mutants.source import VARIABLE
from meshproof.wait import eventually
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, SLEEP, Sample

_RESTARTED = "meshproof.io/restarted-for"
_WITHIN = 90.0


def switch(sample: Sample, mutant: str | None, *, renew: bool = False) -> None:
    """Have this mutant on in every control plane, or none, and wait until all proxies have their
    configuration from istiods that know.

    ``renew``: workloads are restarted then, so that their certificates are of these istiods.
    Raises LabError when something does not come up again, WaitTimeoutError when a proxy does not
    come back.
    """
    mesh = sample.mesh
    with mesh.lab.recorder.step(f"switch {mutant} on" if mutant else "switch mutants off"):
        for member in mesh.deployment.topology.control_planes:
            _set(mesh, member.name, mutant)
        if renew:
            _restart(sample, mutant or "none")
        await_proxies(sample)


def named_in(mesh: Mesh) -> str | None:
    """The mutant that is on, by the Deployment of the first control plane; None when none is."""
    cluster = mesh.cluster(mesh.deployment.topology.control_planes[0].name)
    apps = kubernetes.client.AppsV1Api(cluster.api)
    with lab_errors(f"read istiod's Deployment in {cluster.name}"):
        found = apps.read_namespaced_deployment(mesh.blueprint.revised(ISTIOD), SYSTEM)
    container = next(one for one in found.spec.template.spec.containers if one.name == CONTAINER)
    return next((one.value for one in container.env or [] if one.name == VARIABLE), None)


def await_proxies(sample: Sample) -> None:
    """Wait until the proxies of the sample and of the gateways are connected to an istiod, and
    have taken, or rejected, all that it sent. Raises WaitTimeoutError that names those that have
    not."""
    mesh = sample.mesh
    eventually(
        lambda: _unready(sample),
        until=lambda missing: missing == "",
        what="the proxies' configuration",
        within=_WITHIN,
        every=0.5,
        recorder=mesh.lab.recorder,
    )


def unready(expected: Iterable[str], entries: Sequence[Mapping[str, Any]]) -> str:
    """What is still missing, by the entries of ``/debug/syncz`` of all istiods; "" when nothing
    is. ``expected``: the ids of the proxies, "pod.namespace"."""
    known = {str(one.get("proxy")): one.get("resources") or {} for one in entries}
    for proxy in sorted(expected):
        if proxy not in known:
            return f"{proxy} is not connected"
        for kind, state in known[proxy].items():
            waits = state.get("sent") and state.get("sent") != state.get("acked")
            if waits and not state.get("lastError"):
                return f"{proxy} has not taken {kind.rpartition('.')[2]}"
    return ""


def istiods(mesh: Mesh) -> list[Workload]:
    """The istiod of each control plane. Raises LabError when one does not run."""
    return [istiod_of(mesh, one.name) for one in mesh.deployment.topology.control_planes]


def proxy_id(workload: Workload) -> str:
    """How istiods call a workload's proxy."""
    return f"{workload.name}.{workload.namespace}"


def proxied(sample: Sample) -> list[Workload]:
    """All workloads of the sample that have a sidecar, and the gateways. Raises LabError."""
    mesh = sample.mesh
    gateways = [
        gateway_workload(mesh, one.name)
        for one in sample.topology.members
        if one.gateway is not None
    ]
    callers = [find_workload(mesh.cluster(name), SLEEP, NAMESPACE) for name in sample.clusters]
    return [*callers, *sample.servers().values(), *gateways]


def _set(mesh: Mesh, cluster: str, mutant: str | None) -> None:
    running, name = mesh.cluster(cluster), mesh.blueprint.revised(ISTIOD)
    env = {"name": VARIABLE, "value": mutant} if mutant else {"name": VARIABLE, "$patch": "delete"}
    container = {"name": CONTAINER, "env": [env]}
    _patch(mesh, cluster, SYSTEM, name, {"spec": {"containers": [container]}})
    await_rollout(running, SYSTEM, {name}, mesh.shell)


def _restart(sample: Sample, reason: str) -> None:
    """Replace the pods of sleep and helloworld."""
    mesh = sample.mesh
    template = {"metadata": {"annotations": {_RESTARTED: reason}}}
    for cluster in sample.clusters:
        names = {SLEEP, *(f"{HELLOWORLD}-{one}" for one in sample.versions_in(cluster))}
        for name in names:
            _patch(mesh, cluster, NAMESPACE, name, template)
        await_rollout(mesh.cluster(cluster), NAMESPACE, names, mesh.shell)
    sample.callers.clear()


def _patch(mesh: Mesh, cluster: str, namespace: str, name: str, template: object) -> None:
    apps = kubernetes.client.AppsV1Api(mesh.cluster(cluster).api)
    with lab_errors(f"change Deployment {namespace}/{name} in {cluster}"):
        apps.patch_namespaced_deployment(name, namespace, {"spec": {"template": template}})


def _unready(sample: Sample) -> str:
    try:
        entries = [one for istiod in istiods(sample.mesh) for one in debug(istiod, "syncz") or []]
        return unready(map(proxy_id, proxied(sample)), entries)
    except MeshproofError as error:  # a pod that is just being replaced
        return error.cause
