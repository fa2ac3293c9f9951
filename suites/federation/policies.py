"""AuthorizationPolicies of a provider's that let in some of its consumers, and nobody else.

https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source
"""

from __future__ import annotations

from meshproof.kube.objects import Object
from meshproof.workloads.sample import NAMESPACE, SERVED


def letting_in(source: Object) -> Object:
    """What is exposed answers this source alone."""
    spec = {
        "selector": {"matchLabels": dict(SERVED.labels)},
        "action": "ALLOW",
        "rules": [{"from": [{"source": source}]}],
    }
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "some-consumers", "namespace": NAMESPACE},
        "spec": spec,
    }


def account(identity: str) -> Object:
    """An account as a source, or several. ``identity``: its SPIFFE ID, or a pattern of such."""
    return {"principals": [identity.removeprefix("spiffe://")]}


def namespace(name: str) -> Object:
    """All accounts of a namespace as a source, of whichever mesh."""
    return {"namespaces": [name]}


def trust_domains(*names: str) -> Object:
    """All accounts of trust domains as a source. A pattern of principals stands for no alias; the
    field ``trustDomains`` does (https://github.com/istio/istio/pull/59358, read in 1.31.1)."""
    return {"principals": [f"{name}/*" for name in names]}
