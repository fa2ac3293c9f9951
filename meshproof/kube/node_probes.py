"""What asks from nodes: a pod on each, in the node's own network namespace."""

from __future__ import annotations

from meshproof.artifacts.images import WORKLOAD
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import Object, apply
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import NODE_PROBE, NODE_PROBE_NAMESPACE


def deploy_node_probes(cluster: RunningCluster) -> None:
    """Have a probe on every node, also on those that are not ready yet. Raises LabError."""
    apply(cluster, _objects())


def missing_node_probes(cluster: RunningCluster) -> str:
    """What is missing until every node has its probe; "" when nothing is. Raises LabError."""
    with lab_errors(f"look at the probes on nodes of {cluster.name}"):
        pods = cluster.core.list_namespaced_pod(
            NODE_PROBE_NAMESPACE, label_selector=f"app={NODE_PROBE}"
        ).items
        ready = sum(
            condition.type == "Ready" and condition.status == "True"
            for pod in pods
            for condition in pod.status.conditions or []
        )
        if ready >= cluster.spec.nodes:
            return ""
        return f"probes run on {ready} of {cluster.spec.nodes} nodes; {cluster.trouble()}"


def _objects() -> list[Object]:
    labels = {"app": NODE_PROBE}
    container = {
        "name": NODE_PROBE,
        "image": WORKLOAD,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep"],
    }
    pod = {
        "hostNetwork": True,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": NODE_PROBE, "namespace": NODE_PROBE_NAMESPACE}
    namespace = {"name": NODE_PROBE_NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": namespace},
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": spec},
    ]
