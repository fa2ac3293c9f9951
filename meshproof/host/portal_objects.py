"""A portal as objects: in the host Envoy with a Service a member, and who may ask through which; in
each member what the portal itself may do there.

Who asks through ``/api/v1/namespaces/portal/services/MEMBER/proxy/`` needs the right to
``services/proxy`` of that name, with the verb of his request
(https://kubernetes.io/docs/reference/access-authn-authz/authorization/).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from meshproof.host.portal_config import KEYS, Upstream, bootstrap, ports
from meshproof.host.tenants import namespace
from meshproof.kube.objects import Object

PORTAL = "portal"
"""The namespace in the host, and who the portal is to members."""
LISTED = "portal-member"
"""The label of the Services that lead to members: the host's list of them."""
_RBAC = "rbac.authorization.k8s.io"
_CONFIG = "/etc/portal/config"
_NOBODY = 65534
# All verbs: what may be done in a member is the member's to say.
_VERBS = ["get", "create", "update", "patch", "delete"]


def program_objects(
    image: str, upstreams: Sequence[Upstream], keys: Mapping[str, str], removed: Sequence[str]
) -> list[Object]:
    """Envoy, and the Services by which members are called. ``keys``: the texts of the files by
    which it gets into members, by name; ``removed``: the headers that never reach one."""
    config = json.dumps(bootstrap(upstreams, removed))
    members = [one.member for one in upstreams]
    return [
        namespace(PORTAL),
        {**_in_host("v1", "ConfigMap", PORTAL), "data": {"envoy.json": config}},
        {**_in_host("v1", "Secret", PORTAL), "stringData": dict(keys)},
        _deployment(image, ports(members)[members[0]]),
        *(_service(name, port) for name, port in ports(members).items()),
    ]


def user_objects(user: str, members: Sequence[str]) -> list[Object]:
    """An account of the host that may ask the host which members there are, and through the portal
    these ones."""
    proxied = {"apiGroups": [""], "resources": ["services/proxy"], "verbs": _VERBS}
    lists = {"apiGroups": [""], "resources": ["services"], "verbs": ["list"]}
    # Without names a rule would be of all.
    rules = [lists, *([{**proxied, "resourceNames": list(members)}] if members else [])]
    subject = {"kind": "ServiceAccount", "name": user, "namespace": PORTAL}
    return [
        _in_host("v1", "ServiceAccount", user),
        {**_in_host(f"{_RBAC}/v1", "Role", user), "rules": rules},
        _binding(user, PORTAL, subject),
    ]


def user_name(user: str) -> str:
    """Who an account of ``user_objects`` is to the host's API server."""
    return f"system:serviceaccount:{PORTAL}:{user}"


def member_objects(space: str) -> list[Object]:
    """What the portal may do in a member: read ConfigMaps of a namespace, which must be there."""
    reads = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}
    metadata = {"name": PORTAL, "namespace": space}
    role = {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": [reads]}
    return [role, _binding(PORTAL, space, {"apiGroup": _RBAC, "kind": "User", "name": PORTAL})]


def _binding(name: str, space: str, subject: Object) -> Object:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": space},
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": name},
        "subjects": [subject],
    }


def _service(member: str, port: int) -> Object:
    # A port without a name: with one, that would be part of what the right is for.
    spec = {"selector": {"app": PORTAL}, "ports": [{"port": 80, "targetPort": port}]}
    made = _in_host("v1", "Service", member)
    return {**made, "metadata": {**made["metadata"], "labels": {LISTED: member}}, "spec": spec}


def _deployment(image: str, ready: int) -> Object:
    container: dict[str, Any] = {
        "name": "envoy",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/usr/local/bin/envoy"],
        # Without the memory that Envoys of one node share to follow each other.
        "args": ["-c", f"{_CONFIG}/envoy.json", "--disable-hot-restart", "--concurrency", "1"],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "capabilities": {"drop": ["ALL"]},
        },
        "readinessProbe": {"tcpSocket": {"port": ready}, "periodSeconds": 1},
        "volumeMounts": [
            {"name": "config", "mountPath": _CONFIG},
            {"name": "keys", "mountPath": KEYS},
        ],
    }
    pod = {
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "securityContext": {"fsGroup": _NOBODY},
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": PORTAL}},
            {"name": "keys", "secret": {"secretName": PORTAL, "defaultMode": 0o440}},
        ],
    }
    labels = {"app": PORTAL}
    spec = {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return {**_in_host("apps/v1", "Deployment", PORTAL), "spec": spec}


def _in_host(version: str, kind: str, name: str) -> Object:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": PORTAL},
    }
