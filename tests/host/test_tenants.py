"""What tenants may do in members, and the host for them: no more than they need."""

from __future__ import annotations

from typing import Any

from meshproof.host.tenants import (
    DEPLOYER,
    DOORS,
    Rights,
    Tenant,
    account_user,
    door_objects,
    everywhere,
    host_objects,
    identity_objects,
)

SHOP, PLATFORM = Tenant("shop", ("east",)), Tenant("platform", ("east",), Rights.SHARED)
INSTALLER = Tenant("mesh-east", ("east",), Rights.ALL)


def rules(objects: list[dict[str, Any]], account: str, namespace: str) -> list[dict[str, Any]]:
    """All rules that bindings among objects give an account."""
    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    bound = [one["roleRef"]["name"] for one in objects if subject in one.get("subjects", [])]
    roles = {one["metadata"]["name"]: one for one in objects if one["kind"].endswith("Role")}
    return [rule for name in bound for rule in roles[name]["rules"]]


def test_the_hosts_account_may_do_nothing_but_act_as_the_tenants() -> None:
    for tenant in (SHOP, PLATFORM):
        (rule,) = rules(identity_objects(tenant), tenant.name, DOORS)
        assert rule == {
            "apiGroups": [""],
            "resources": ["serviceaccounts"],
            "verbs": ["impersonate"],
            "resourceNames": [DEPLOYER],
        }
        (role,) = [
            one
            for one in identity_objects(tenant)
            if one["metadata"]["name"] == "as-deployer" and one["kind"] == "Role"
        ]
        assert role["metadata"]["namespace"] == tenant.name


def test_a_tenant_has_rights_in_its_own_namespace_alone() -> None:
    objects = identity_objects(SHOP)
    assert everywhere(SHOP) == []
    assert {one["metadata"].get("namespace", SHOP.name) for one in objects} == {SHOP.name, DOORS}
    (rule,) = rules(objects, DEPLOYER, SHOP.name)
    assert rule["resources"] == ["configmaps", "serviceaccounts", "services"]
    assert "*" not in rule["verbs"] and "impersonate" not in rule["verbs"]


def test_who_manages_gives_rights_and_reads_no_secrets() -> None:
    granted = rules(identity_objects(PLATFORM), DEPLOYER, PLATFORM.name)
    assert [one["kind"] for one in everywhere(PLATFORM)] == ["ClusterRole", "ClusterRoleBinding"]
    by_group = {rule["apiGroups"][0]: rule for rule in granted}
    assert {"bind", "escalate"} <= set(by_group["rbac.authorization.k8s.io"]["verbs"])
    assert "secrets" not in by_group[""]["resources"] and "pods" not in by_group[""]["resources"]
    assert by_group["security.istio.io"]["resources"] == ["*"]


def test_who_installs_a_mesh_may_do_everything_and_the_host_may_act_as_that() -> None:
    (rule,) = rules(identity_objects(INSTALLER), DEPLOYER, INSTALLER.name)
    assert rule == {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    (rule,) = rules(identity_objects(INSTALLER), INSTALLER.name, DOORS)
    assert rule["verbs"] == ["impersonate"]


def test_what_is_made_by_hand_in_a_member_is_its_doors() -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in door_objects(PLATFORM)]
    assert names[0] == ("Namespace", DOORS) and ("Namespace", PLATFORM.name) in names


def test_no_object_in_a_member_tells_of_a_host() -> None:
    assert "host" not in str([door_objects(PLATFORM), identity_objects(SHOP)])


def test_each_tenant_has_a_namespace_and_its_account_in_the_host() -> None:
    made = [(one["kind"], one["metadata"]["name"]) for one in host_objects([SHOP])]
    assert made == [("Namespace", "shop"), ("ServiceAccount", DEPLOYER)]
    assert account_user("shop") == "system:serviceaccount:shop:deployer"
