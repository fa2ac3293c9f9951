"""The istiods of a mesh: which mutant is on in them."""

from __future__ import annotations

import kubernetes.client

from meshproof.kube.rollout import await_rollout
from meshproof.kube.seam import lab_errors
from meshproof.mesh.istiod import CONTAINER, ISTIOD
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.mutants.source import VARIABLE
from meshproof.traffic.connected import await_proxies
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, SLEEP, Sample

_RESTARTED = "meshproof.io/restarted-for"


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
