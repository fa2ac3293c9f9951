"""What is applied: policies for one port of helloworld."""

from __future__ import annotations

from meshproof.kube.objects import Object
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, SLEEP, Sample

_SECURITY = "security.istio.io/v1"
_WORKLOAD = {"selector": {"matchLabels": {"app": HELLOWORLD}}}


def denying(sample: Sample, port: int) -> Object:
    """helloworld denies sleep one port, by its identity."""
    identities = dict.fromkeys(one.identity(NAMESPACE, SLEEP) for one in sample.topology.meshes)
    names = [one.removeprefix("spiffe://") for one in identities]
    rule = {
        "from": [{"source": {"principals": names}}],
        "to": [{"operation": {"ports": [str(port)]}}],
    }
    spec = {**_WORKLOAD, "action": "DENY", "rules": [rule]}
    return _object("AuthorizationPolicy", name_of_denying(port), spec)


def name_of_denying(port: int) -> str:
    """What that policy is called, also by the proxies that deny by it."""
    return f"deny-port-{port}"


def permissive_at(port: int) -> Object:
    """helloworld takes plain text on one port; the mesh's own mode stays for the others."""
    levels = {str(port): {"mode": "PERMISSIVE"}}
    spec = {**_WORKLOAD, "portLevelMtls": levels}
    return _object("PeerAuthentication", f"permissive-at-{port}", spec)


def _object(kind: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": _SECURITY, "kind": kind, "metadata": metadata, "spec": spec}
