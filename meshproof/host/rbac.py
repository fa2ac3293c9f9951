"""Rights as objects (https://kubernetes.io/docs/reference/access-authn-authz/rbac/)."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.kube.objects import Object

GROUP = "rbac.authorization.k8s.io"


def rule(group: str, resources: Sequence[str], verbs: Sequence[str]) -> Object:
    """What may be done to these resources of an API group."""
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def role(kind: str, name: str, namespace: str, rules: Sequence[Object]) -> Object:
    """A Role in a namespace, or with "" for it a ClusterRole; ``kind`` says which."""
    return {**_rbac(kind, name, namespace), "rules": list(rules)}


def binding(kind: str, name: str, namespace: str, subject: Object, of: str = "") -> Object:
    """What gives a subject the role of that kind and name; ``of``: the role's name where the
    binding has another."""
    given = {"apiGroup": GROUP, "kind": kind, "name": of or name}
    made = _rbac(f"{kind}Binding", name, namespace)
    return {**made, "roleRef": given, "subjects": [subject]}


def account_subject(account: str, namespace: str) -> Object:
    """A ServiceAccount as a subject."""
    return {"kind": "ServiceAccount", "name": account, "namespace": namespace}


def user_subject(name: str) -> Object:
    """A user as a subject."""
    return {"apiGroup": GROUP, "kind": "User", "name": name}


def _rbac(kind: str, name: str, namespace: str) -> Object:
    where = {"namespace": namespace} if namespace else {}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name, **where}}
