"""Who pushes what to which members: tenants, their accounts, and what these may do in a member.

Each tenant has an account in each of its members, as which its objects are applied, and which may
do nothing outside its namespace. The host has another account there for each tenant, whose token it
keeps, and which may do nothing but act as the first. Nothing of this names the host.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from meshproof.host.rbac import GROUP, account_subject, binding, role, rule
from meshproof.kube.objects import Object

DEPLOYER = "deployer"
"""The account as which a tenant's objects are applied, in the tenant's namespace."""
DOORS = "managed"
"""The namespace in each member with the accounts whose tokens leave it."""
_CHANGE = ["get", "list", "watch", "create", "update", "patch", "delete"]
_OF_TENANTS = ["configmaps", "serviceaccounts", "services"]


class Rights(Enum):
    """What a tenant may push to its members."""

    OWN = "what is in its own namespace"
    SHARED = "what others stand on: namespaces, accounts, roles and the meshes' configuration"
    ALL = "everything, as whoever installs a mesh must"


@dataclass(frozen=True, slots=True)
class Tenant:
    """Somebody who pushes. ``name``: also that of its namespace, in the host and in its members;
    ``members``: those that it may push to; ``rights``: what it may push there."""

    name: str
    members: tuple[str, ...]
    rights: Rights = Rights.OWN

    @property
    def manages(self) -> bool:
        """Whether it pushes what others stand on, and so nobody pushes what it stands on itself."""
        return self.rights is not Rights.OWN


def account_user(tenant: str) -> str:
    """Who a tenant's account is to an API server."""
    return f"system:serviceaccount:{tenant}:{DEPLOYER}"


def identity_objects(tenant: Tenant) -> list[Object]:
    """What a tenant is in a member: its namespace, the account as which its objects are applied
    with its rights, and the account for the host, which may act as that one alone."""
    subject = account_subject(DEPLOYER, tenant.name)
    return [
        namespace(tenant.name),
        _account(DEPLOYER, tenant.name),
        *_rights(tenant, subject),
        _account(tenant.name, DOORS),
        role("Role", "as-deployer", tenant.name, [_acting_as(DEPLOYER)]),
        binding("Role", "as-deployer", tenant.name, account_subject(tenant.name, DOORS)),
    ]


def door_objects(tenant: Tenant) -> list[Object]:
    """What must be in a member before anything can be pushed there for a tenant, whose accounts
    nobody pushes."""
    return [namespace(DOORS), *identity_objects(tenant)]


def kept_doors(tenant: Tenant) -> list[Object]:
    """What a tenant has in the namespace that all share."""
    return [one for one in identity_objects(tenant) if one["metadata"].get("namespace") == DOORS]


def host_objects(tenants: Iterable[Tenant]) -> list[Object]:
    """What tenants are in the host: a namespace each, and an account of the same name as in their
    members, without which nothing that was pushed is withdrawn again."""
    return [made for one in tenants for made in (namespace(one.name), _account(DEPLOYER, one.name))]


def everywhere(tenant: Tenant) -> list[Object]:
    """What a tenant is in a member beyond all namespaces."""
    return [one for one in identity_objects(tenant) if one["kind"].startswith("ClusterRole")]


def _rights(tenant: Tenant, subject: Object) -> list[Object]:
    if not tenant.manages:
        rules = [rule("", _OF_TENANTS, _CHANGE)]
        return [
            role("Role", DEPLOYER, tenant.name, rules),
            binding("Role", DEPLOYER, tenant.name, subject),
        ]
    rules = [rule("*", ["*"], ["*"])] if tenant.rights is Rights.ALL else _shared()
    name = f"{tenant.name}-{DEPLOYER}"
    return [
        role("ClusterRole", name, "", rules),
        binding("ClusterRole", name, "", subject),
    ]


def _shared() -> list[Object]:
    return [
        rule("", ["namespaces", *_OF_TENANTS], _CHANGE),
        # Who gives rights that he has not himself needs these two verbs.
        rule(GROUP, ["roles", "rolebindings"], [*_CHANGE, "bind", "escalate"]),
        *(
            rule(f"{group}.istio.io", ["*"], _CHANGE)
            for group in ("networking", "security", "telemetry")
        ),
    ]


def _acting_as(account: str) -> Object:
    return {**rule("", ["serviceaccounts"], ["impersonate"]), "resourceNames": [account]}


def namespace(name: str) -> Object:
    """A namespace without anything in it."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _account(name: str, namespace: str) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
