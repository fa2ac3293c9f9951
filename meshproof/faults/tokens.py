"""Tokens of service accounts as a cluster's API server would sign them, for any time.

https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
"""

from __future__ import annotations

import base64
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from meshproof.errors import LabError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors

ISSUER = "https://kubernetes.default.svc.cluster.local"
"""Who gives tokens, which API servers take where nothing else is asked for."""
_KEY = "/etc/kubernetes/pki/sa.key"


def user_of(account: str, namespace: str) -> str:
    """What API servers call a service account."""
    return f"system:serviceaccount:{namespace}:{account}"


def signed_token(
    cluster: RunningCluster,
    account: str,
    namespace: str,
    until: float,
    *,
    since: float | None = None,
    audience: str = ISSUER,
) -> str:
    """A token of an account, signed with its cluster's own key. ``since`` and ``until``: in seconds
    since the epoch, by default from now on; ``audience``: for whom it is. Raises LabError."""
    with lab_errors(f"read the account {account} of {cluster.name}"):
        found = cluster.core.read_namespaced_service_account(account, namespace)
    pem = cluster.on_node(cluster.control_plane, "cat", _KEY).stdout
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise LabError(f"the key that signs tokens of {cluster.name} is none of RSA")
    begin = int(time.time() if since is None else since) - 1
    claims = {
        "iss": ISSUER,
        "aud": [audience],
        "sub": user_of(account, namespace),
        "iat": begin,
        "nbf": begin,
        "exp": int(until),
        "kubernetes.io": {
            "namespace": namespace,
            "serviceaccount": {"name": account, "uid": found.metadata.uid},
        },
    }
    said = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = key.sign(said.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{said}.{_url_safe(signature)}"


def _part(told: object) -> str:
    return _url_safe(json.dumps(told, separators=(",", ":")).encode())


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
