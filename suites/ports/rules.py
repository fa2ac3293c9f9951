"""What is applied: policies for one port of helloworld."""

from __future__ import annotations

from meshproof.kube.objects import Object
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE

_SECURITY = "security.istio.io/v1"
_WORKLOAD = {"selector": {"matchLabels": {"app": HELLOWORLD}}}


def permissive_at(port: int) -> Object:
    """helloworld takes plain text on one port; the mesh's own mode stays for the others."""
    levels = {str(port): {"mode": "PERMISSIVE"}}
    spec = {**_WORKLOAD, "portLevelMtls": levels}
    return _object("PeerAuthentication", f"permissive-at-{port}", spec)


def _object(kind: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": _SECURITY, "kind": kind, "metadata": metadata, "spec": spec}
