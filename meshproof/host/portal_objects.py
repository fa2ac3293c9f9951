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
from meshproof.host.rbac import account_subject, binding, role, rule, user_subject
from meshproof.host.tenants import namespace
from meshproof.kube.objects import Object

PORTAL = "portal"
"""The namespace in the host, and who the portal is to members."""
LISTED = "portal-member"
"""The label of the Services that lead to members: the host's list of them."""
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
    rules = [rule("", ["services"], ["list"])]
    if members:  # without names a rule would be of all
        proxied = rule("", ["services/proxy"], _VERBS)
        rules.append({**proxied, "resourceNames": list(members)})
    return [
        _in_host("v1", "ServiceAccount", user),
        role("Role", user, PORTAL, rules),
        binding("Role", user, PORTAL, account_subject(user, PORTAL)),
    ]


def user_name(user: str) -> str:
    """Who an account of ``user_objects`` is to the host's API server."""
    return f"system:serviceaccount:{PORTAL}:{user}"


def member_objects(space: str) -> list[Object]:
    """What the portal may do in a member: read ConfigMaps of a namespace, which must be there."""
    reads = rule("", ["configmaps"], ["get", "list"])
    return [
        role("Role", PORTAL, space, [reads]),
        binding("Role", PORTAL, space, user_subject(PORTAL)),
    ]


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
