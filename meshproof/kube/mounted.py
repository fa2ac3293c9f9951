"""What pods have mounted of Secrets and ConfigMaps, as their nodes keep it.

kubelet brings a change to a pod when it looks at the pod next, which may take a minute and more;
whoever changes an annotation of the pod makes it look
(https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/, "Mounted
ConfigMaps are updated automatically").
"""

from __future__ import annotations

import time

from meshproof.errors import EvidenceError
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PodWorkload

_LOOKED_AT = "meshproof/looked-at"


def look_again(workload: PodWorkload) -> None:
    """Have kubelet look at a pod, and bring it what has changed. Raises LabError."""
    patch = {"metadata": {"annotations": {_LOOKED_AT: str(time.time())}}}
    with lab_errors(f"annotate {workload}"):
        core = workload.running.core
        core.patch_namespaced_pod(workload.name, workload.namespace, patch)


def mounted(workload: PodWorkload, kind: str, volume: str, key: str) -> str:
    """A file that a pod has mounted now. ``kind``: "configmap" or "secret"; ``volume``: as the pod
    calls it. Raises EvidenceError where there is none, LabError when the pod cannot be read."""
    with lab_errors(f"read {workload}"):
        core = workload.running.core
        pod = core.read_namespaced_pod(workload.name, workload.namespace)
    path = f"/var/lib/kubelet/pods/{pod.metadata.uid}/volumes/kubernetes.io~{kind}/{volume}/{key}"
    found = workload.running.on_node(workload.node, "cat", path, check=False)
    if found.returncode != 0:
        raise EvidenceError(f"{workload} has no {key} of {volume}: {found.stderr.strip()[:200]}")
    return found.stdout
