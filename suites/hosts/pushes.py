"""What tenants push in tests: the usual, with something more, less, or what they may not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from meshproof.host.content import Content
from meshproof.host.credentials import revoke
from meshproof.host.host import Host
from meshproof.host.reconciler import Assignment
from meshproof.host.tenants import DEPLOYER, account_user
from meshproof.host.usual import CATALOGUE, PLATFORM, SHOP, config_map
from meshproof.kube.objects import Object, apply, delete

SEASON = "spring"
ACCOUNT = account_user(SHOP)
"""As whom the shop's objects are applied in members."""


def with_base(content: Content, *objects: Object) -> Content:
    """The same with further objects for all members."""
    return replace(content, base=[*content.base, *objects])


def without(content: Content, kind: str, name: str) -> Content:
    """The same without an object that all members have."""
    kept = [one for one in content.base if (one["kind"], one["metadata"]["name"]) != (kind, name)]
    return replace(content, base=kept)


def without_binding(content: Content, tenant: str) -> Content:
    """What is pushed for tenants without the binding that gives one its rights, in any member."""

    def kept(one: Object) -> bool:
        metadata = one["metadata"]
        of = (one["kind"], metadata["name"], metadata.get("namespace"))
        return of != ("RoleBinding", DEPLOYER, tenant)

    members = {
        name: replace(overlay, objects=[one for one in overlay.objects if kept(one)])
        for name, overlay in content.members.items()
    }
    return replace(content, members=members)


def in_season(content: Content) -> Content:
    """The same with a catalogue that says another season, in all members."""
    base = [
        {**one, "data": {**one["data"], "season": SEASON}}
        if one["metadata"]["name"] == CATALOGUE
        else one
        for one in content.base
    ]
    return replace(content, base=base)


def broken(content: Content, member: str) -> Content:
    """The same, but that what one member has is no YAML."""
    path = f"{member}/kustomization.yaml"
    return replace(content, raw={**content.raw, path: "resources: [../base, {\n"})


def intruder(namespace: str) -> Object:
    """An object in a namespace that is not the shop's."""
    return config_map("intruder", namespace, {"from": SHOP})


def forbidden_kinds() -> list[Object]:
    """Objects of kinds that the shop may not push, in its own namespace and beyond all."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "more", "namespace": SHOP},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}],
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "annexed"}}
    return [role, namespace]


@contextmanager
def changed_by_hand(
    host: Host, member: str, changed: Sequence[Object], deleted: Sequence[Object]
) -> Iterator[None]:
    """Somebody changes some of the shop's objects in a member, and deletes others. What is still so
    at the end of the block is made good by the host. Raises WaitTimeoutError when it is not."""
    running = host.members[member]
    apply(running, changed)
    delete(running, deleted)
    try:
        yield
    finally:
        host.require(host.make_good(host.assignments(SHOP)))


@contextmanager
def bystander(host: Host, namespace: str) -> Iterator[Object]:
    """An object in each member that nobody has pushed, inside the block."""
    one = config_map("by-hand", namespace, {"made": "by hand"})
    running = list(host.members.values())
    try:
        for each in running:
            apply(each, [one])
        yield one
    finally:
        for each in running:
            delete(each, [one])


@contextmanager
def left(host: Host, one: Assignment) -> Iterator[None]:
    """A member has left as far as this assignment goes inside the block: the host manages it no
    more, and it keeps what it has. Afterwards it is there again, and what its tenant has is in
    force. Raises WaitTimeoutError when it is not."""
    host.reconciler.release(one)
    try:
        yield
    finally:
        host.reconciler.assign(one)
        host.require(host.make_good(host.assignments(one.tenant)))


@contextmanager
def claimed_twice(host: Host, one: Object) -> Iterator[None]:
    """Who manages pushes an object of the shop's as well, to all members, inside the block;
    afterwards the shop's is in force again: with what leaves the other source it may go."""
    try:
        with host.pushed(PLATFORM, with_base(host.contents[PLATFORM], one)):
            yield
    finally:
        host.require(host.make_good(host.assignments(SHOP)))


@contextmanager
def credential_revoked(host: Host, tenant: str, member: str) -> Iterator[None]:
    """The token by which the host acts as a tenant in a member is worth nothing inside the block;
    afterwards the host has another one, and what the tenant has is in force again."""
    revoke(host.members[member], host.tenants[tenant])
    try:
        yield
    finally:
        host.introduce(host.tenants[tenant], member)
        host.require(host.make_good(host.assignments(tenant)))
