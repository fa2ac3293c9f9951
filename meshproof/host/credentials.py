"""How a host gets into a member: a token of the account that the member has for a tenant's objects,
in a kubeconfig that the host keeps in a Secret. It can be taken back in the member alone."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

import yaml

from meshproof.errors import LabError
from meshproof.host.tenants import DOORS, Tenant
from meshproof.kube import RunningCluster
from meshproof.kube.objects import Object
from meshproof.kube.seam import lab_errors
from meshproof.wait import eventually

API_PORT = 6443
_ACCOUNT = "kubernetes.io/service-account.name"
_KIND = "kubernetes.io/service-account-token"
_TOKEN_WITHIN = 30.0


def grant(member: RunningCluster, tenant: Tenant) -> str:
    """A new token by which the host acts as a tenant in a member, where the tenant's accounts must
    be. Raises LabError.

    It lies in a Secret of a name of its own: one of the same name would have the same token again.
    """
    doing = f"get a token for {tenant.name} in {member.name}"
    name = f"{tenant.name}-{secrets.token_hex(3)}"
    body = {
        "metadata": {"name": name, "annotations": {_ACCOUNT: tenant.name}},
        "type": _KIND,
    }

    def token() -> str:
        with lab_errors(doing):
            made = member.core.read_namespaced_secret(name, DOORS).data or {}
        return base64.b64decode(made.get("token", "")).decode()

    with lab_errors(doing):
        member.core.create_namespaced_secret(DOORS, body)
    what = f"a token of {tenant.name} in {member.name}"
    return eventually(token, what=what, within=_TOKEN_WITHIN)


def revoke(member: RunningCluster, tenant: Tenant) -> None:
    """Take back all tokens that were granted; the member's API server may go on with one for ten
    seconds. Raises LabError, also where there is none."""
    with lab_errors(f"take back the tokens of {tenant.name} in {member.name}"):
        there = member.core.list_namespaced_secret(DOORS).items
        mine = [
            one.metadata.name
            for one in there
            if one.type == _KIND and (one.metadata.annotations or {}).get(_ACCOUNT) == tenant.name
        ]
        for name in mine:
            member.core.delete_namespaced_secret(name, DOORS)
    if not mine:
        raise LabError(f"{member.name} has granted no token to {tenant.name}")


def kubeconfig(member: RunningCluster, token: str) -> str:
    """A kubeconfig with which a member is reached from another cluster. Raises LabError."""
    known = member.api.configuration.ssl_ca_cert
    authority = base64.b64encode(Path(known).read_bytes()).decode()
    server = f"https://{member.control_plane.address}:{API_PORT}"
    name = member.name
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": name,
                    "cluster": {"server": server, "certificate-authority-data": authority},
                }
            ],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )


def secret(member: RunningCluster, tenant: Tenant, token: str) -> Object:
    """The Secret that the host keeps for a tenant, called like the member. Raises LabError."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": member.name, "namespace": tenant.name},
        "stringData": {"value": kubeconfig(member, token)},
    }
