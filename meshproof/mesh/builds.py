"""Which build of Istio and Envoy is running: asked of the programs themselves, not of what was
installed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from meshproof.errors import EvidenceError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PROXY, Workload, list_workloads
from meshproof.mesh.istiod import CONTAINER, ISTIOD
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.operator_config import GATEWAY
from meshproof.process import Finished


@dataclass(frozen=True, slots=True)
class Build:
    """What a program of Istio says of itself. ``who``: its pod, in words; ``version``: as in
    "1.31.1"; ``details``: revision, status and Go's version; ``envoy``: for a proxy, the version
    of its Envoy; ``program``: the one that was asked; ``image``: what the node runs for it, by its
    digest, "" where the API does not tell."""

    who: str
    version: str
    details: str
    envoy: str = ""
    program: str = ""
    image: str = ""


def istiod_builds(mesh: Mesh, cluster: str) -> list[Build]:
    """What each istiod in a cluster says. Raises EvidenceError when one cannot be asked."""
    pods = list_workloads(mesh.cluster(cluster), ISTIOD, SYSTEM, container=CONTAINER)
    images = _images(mesh.cluster(cluster), SYSTEM, CONTAINER)
    return [_asked(one, "pilot-discovery", images.get(one.name, "")) for one in pods]


def gateway_builds(mesh: Mesh, cluster: str) -> list[Build]:
    """What the proxies of a cluster's east-west gateway say. Raises as ``istiod_builds`` does."""
    return proxy_builds(mesh, cluster, GATEWAY, SYSTEM)


def proxy_builds(mesh: Mesh, cluster: str, app: str, namespace: str) -> list[Build]:
    """What the proxies of an app's pods say, and the Envoys that they run. Raises as
    ``istiod_builds`` does."""
    pods = list_workloads(mesh.cluster(cluster), app, namespace, container=PROXY)
    images = _images(mesh.cluster(cluster), namespace, PROXY)
    return [
        _asked(one, "pilot-agent", images.get(one.name, ""), envoy=_envoy_of(one)) for one in pods
    ]


def _images(cluster: RunningCluster, namespace: str, container: str) -> dict[str, str]:
    """By pod the image that its container of this name runs, as the node knows it."""
    with lab_errors(f"look at the pods in {namespace} of {cluster.name}"):
        pods = cluster.core.list_namespaced_pod(namespace).items
    return {
        pod.metadata.name: one.image_id
        for pod in pods
        for one in [
            *(pod.status.init_container_statuses or []),
            *(pod.status.container_statuses or []),
        ]
        if one.name == container
    }


def machine_build(machine: Workload) -> Build:
    """What the agent says that runs on a machine outside Kubernetes, whatever lies by now where it
    was started from. Raises EvidenceError, EngineError."""
    running = 'exec "/proc/$(pgrep -o -x pilot-agent)/exe" version --output json'
    return _told(machine, machine.run("sh", "-c", running, check=False), "pilot-agent", "")


def _asked(workload: Workload, program: str, image: str, envoy: str = "") -> Build:
    finished = workload.run(program, "version", "--output", "json", check=False)
    return _told(workload, finished, program, image, envoy)


def _told(
    workload: Workload, finished: Finished, program: str, image: str, envoy: str = ""
) -> Build:
    try:
        said = json.loads(finished.stdout)["clientVersion"]
        details = f"revision {said['revision']}, {said['status']}, {said['golang_version']}"
        return Build(str(workload), said["version"], details, envoy, program, image)
    except (ValueError, LookupError, TypeError):
        words = (finished.stderr or finished.stdout).strip()[-200:]
        raise EvidenceError(f"{program} of {workload} does not tell its version: {words}") from None


def _envoy_of(workload: Workload) -> str:
    """The second part of "REVISION/1.38.0/Clean/RELEASE/BoringSSL"."""
    try:
        return str(json.loads(workload.admin("server_info"))["version"].split("/")[1])
    except (ValueError, LookupError, TypeError):
        raise EvidenceError(f"the proxy of {workload} does not tell its version") from None
