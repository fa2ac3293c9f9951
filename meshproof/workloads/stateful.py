"""Helloworlds of a StatefulSet behind a headless Service: pods with names of their own.

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id
"""

from __future__ import annotations

from meshproof.artifacts.images import WORKLOAD
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import Object
from meshproof.kube.rollout import hopeless
from meshproof.kube.seam import lab_errors
from meshproof.wait import eventually
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT, helloworld_service

SERVICE = "ordered"
"""The headless Service, and the label of its pods."""
_WITHIN = 120.0


def pod_name(cluster: str, number: int = 0) -> str:
    """What a pod of a cluster's StatefulSet is called: each cluster's otherwise."""
    return f"{SERVICE}-{cluster}-{number}"


def headless() -> Object:
    """A Service without an address of its own."""
    made = helloworld_service(name=SERVICE)
    http = [{"name": "http", "port": PORT, "targetPort": PORT}]
    made["spec"] |= {"clusterIP": "None", "selector": {"app": SERVICE}, "ports": http}
    return made


def stateful_set(cluster: str, replicas: int = 1) -> Object:
    """A cluster's StatefulSet of helloworlds, which are none of the version's own."""
    labels = {"app": SERVICE}
    container: Object = {"name": SERVICE, "image": WORKLOAD, "imagePullPolicy": "IfNotPresent"}
    container |= {"command": [HELLOWORLD]}
    pod = {
        "serviceAccountName": HELLOWORLD,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": f"{SERVICE}-{cluster}", "namespace": NAMESPACE},
        "spec": {
            "serviceName": SERVICE,
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def await_ready(cluster: RunningCluster, app: str = SERVICE, pods: int = 1) -> None:
    """Wait until so many pods of an app run, their proxies as well. Raises WaitFailedError, or
    WaitTimeoutError."""

    def ready() -> int:
        with lab_errors(f"look at {app} in {cluster.name}"):
            found = cluster.core.list_namespaced_pod(NAMESPACE, label_selector=f"app={app}")
        states = [one for pod in found.items for one in pod.status.conditions or []]
        return sum(one.type == "Ready" and one.status == "True" for one in states)

    eventually(
        ready,
        until=lambda count: count == pods,
        fail_if=lambda _: hopeless(cluster, NAMESPACE),
        what=f"the pods of {app} in {cluster.name}",
        within=_WITHIN,
    )
