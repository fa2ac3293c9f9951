"""What is applied: the mTLS mode of a namespace."""

from __future__ import annotations

from meshproof.kube.objects import Object


def permissive_in(namespace: str) -> Object:
    """The servers of a namespace take plain text; the mesh's own mode stays for all others."""
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "permissive-namespace", "namespace": namespace},
        "spec": {"mtls": {"mode": "PERMISSIVE"}},
    }
