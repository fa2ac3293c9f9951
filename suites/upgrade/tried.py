"""Objects that are tried as a dry run, to see what webhooks make of them."""

from __future__ import annotations

from meshproof.artifacts.images import WORKLOAD
from meshproof.kube.objects import Object
from meshproof.workloads.sample import NAMESPACE, SLEEP

_NAME = "tried"


def a_pod() -> Object:
    """A pod in the sample's namespace, as any workload's."""
    container = {"name": SLEEP, "image": WORKLOAD, "command": [SLEEP]}
    metadata = {"name": _NAME, "namespace": NAMESPACE, "labels": {"app": _NAME}}
    spec = {"serviceAccountName": SLEEP, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def right_service() -> Object:
    """A VirtualService that Istio accepts, of a host that nobody calls."""
    return _service("tried.example")


def mistaken_service() -> Object:
    """The same with a host that the kind's own schema lets through, and Istio does not: a wildcard
    is a label of its own (``ValidateWildcardDomain`` in pkg/config/validation/agent)."""
    return _service("tri*ed.example")


def _service(host: str) -> Object:
    route = [{"destination": {"host": f"{SLEEP}.{NAMESPACE}.svc.cluster.local"}}]
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": _NAME, "namespace": NAMESPACE},
        "spec": {"hosts": [host], "http": [{"route": route}]},
    }
