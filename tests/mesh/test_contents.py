"""Which objects say something else than they did when a mesh was installed, and what is said of
it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from meshproof.mesh.contents import Contents, contents_of, differences
from meshproof.mesh.inventory import Inventory, Resource, inventory_of

NAMESPACES = Resource("", "Namespace", "namespaces", "/api/v1")
NODES = Resource("", "Node", "nodes", "/api/v1")
PODS = Resource("", "Pod", "pods", "/api/v1")
SECRETS = Resource("", "Secret", "secrets", "/api/v1")
SERVICES = Resource("", "Service", "services", "/api/v1")
CONFIG_MAPS = Resource("", "ConfigMap", "configmaps", "/api/v1")
ROLES = Resource("rbac", "Role", "roles", "/apis/rbac")
DEPLOYMENTS = Resource("apps", "Deployment", "deployments", "/apis/apps/v1")
CRDS = Resource("apiextensions", "CustomResourceDefinition", "crds", "/apis/apiextensions")
Objects = dict[tuple[Resource, str], dict[str, Any]]
SYSTEM = "istio-system"
GATEWAY = (DEPLOYMENTS, f"{SYSTEM}/gateway")
MESH = (CONFIG_MAPS, f"{SYSTEM}/istio")
DNS = (CONFIG_MAPS, "kube-system/coredns")


def one(namespace: str, name: str, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, **more.pop("metadata", {})}
    return {"metadata": {key: value for key, value in metadata.items() if value}, **more}


def cluster() -> Objects:
    """A cluster with its DNS, and a mesh."""
    pod = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway", "controller": True}
    env = [{"name": "NETWORK", "value": "a"}, {"name": "LEVEL", "value": "info"}]
    template = {"spec": {"containers": [{"name": "proxy", "image": "p:1", "env": env}]}}
    found = {
        (NODES, "n"): one("", "n", metadata={"labels": {"zone": "a"}}, spec={"taints": []}),
        (NAMESPACES, "default"): one("", "default", metadata={"labels": {"x": "y"}}),
        DNS: one("kube-system", "coredns", data={"Corefile": ".:53"}),
        (CONFIG_MAPS, "kube-public/info"): one("kube-public", "info", data={"jws": "1"}),
        (ROLES, "kube-system/r"): one("kube-system", "r", rules=[]),
        (NAMESPACES, SYSTEM): one("", SYSTEM, metadata={"labels": {"network": "a"}}),
        (SECRETS, f"{SYSTEM}/cacerts"): one(SYSTEM, "cacerts", data={"key": "c2VjcmV0"}),
        MESH: one(SYSTEM, "istio", data={"mesh": "x" * 100, "mode": "a"}),
        (SERVICES, f"{SYSTEM}/gateway"): one(
            SYSTEM, "gateway", spec={"clusterIP": "1", "ports": [{"name": "tls", "nodePort": 1}]}
        ),
        GATEWAY: one(
            SYSTEM, "gateway", spec={"replicas": 1, "template": template}, status={"s": 1}
        ),
        (PODS, f"{SYSTEM}/gateway-1"): one(
            SYSTEM, "gateway-1", metadata={"ownerReferences": [pod]}
        ),
        (CRDS, "gateways"): one("", "gateways", spec={"versions": [1]}),
    }
    return copy.deepcopy(found)


def listed(objects: Objects) -> list[tuple[Resource, list[dict[str, Any]]]]:
    kinds = dict.fromkeys(resource for resource, _ in objects)
    return [(kind, [one for (of, _), one in objects.items() if of == kind]) for kind in kinds]


BEFORE: Inventory = inventory_of(
    (resource, [one["metadata"]])
    for (resource, _), one in cluster().items()
    if one["metadata"].get("namespace") != SYSTEM
    and one["metadata"]["name"] not in (SYSTEM, "gateways")
)


def contents(objects: Objects) -> Contents:
    return contents_of(listed(objects), BEFORE)


def told(change: Callable[[Objects], object]) -> list[str]:
    objects = cluster()
    change(objects)
    return list(map(str, differences("east", contents(cluster()), contents(objects))))


def put(key: tuple[Resource, str], *path: str | int, value: Any) -> Callable[[Objects], None]:
    def change(objects: Objects) -> None:
        place: Any = objects[key]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


ENV = ("spec", "template", "spec", "containers", 0, "env")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda all_: all_.pop((SECRETS, f"{SYSTEM}/cacerts")),
            f"Secret {SYSTEM}/cacerts in east is gone",
        ),
        (
            lambda all_: all_.update({(ROLES, "x/y"): one("x", "y")}),
            "Role.rbac x/y in east was not installed",
        ),
        (
            put(GATEWAY, "spec", "replicas", value=0),
            f"Deployment.apps {SYSTEM}/gateway in east has spec.replicas 0, not 1",
        ),
        (
            put((NAMESPACES, SYSTEM), "metadata", "labels", value={"network": "b"}),
            f'Namespace {SYSTEM} in east has metadata.labels.network "b", not "a"',
        ),
        (
            put((NAMESPACES, "default"), "metadata", "labels", value={"x": "y", "inject": "no"}),
            "Namespace default in east has metadata.labels.inject, which was not installed",
        ),
        (
            put((NODES, "n"), "metadata", "labels", value={}),
            "Node n in east has no metadata.labels.zone",
        ),
        (
            put(MESH, "data", "mesh", value="y"),
            f"ConfigMap {SYSTEM}/istio in east has another data.mesh",
        ),
        (
            put((SECRETS, f"{SYSTEM}/cacerts"), "data", "key", value="b3RoZXI="),
            f"Secret {SYSTEM}/cacerts in east has another data.key",
        ),
        (
            put(GATEWAY, *ENV, value=[{"name": "LEVEL", "value": "info"}]),
            f"Deployment.apps {SYSTEM}/gateway in east has no "
            "spec.template.spec.containers[proxy].env[NETWORK].name, and 1 more difference",
        ),
        (
            put(DNS, "data", "Corefile", value=".:54"),
            'ConfigMap kube-system/coredns in east has data.Corefile ".:54", not ".:53"',
        ),
        (
            put((CRDS, "gateways"), "spec", "versions", value=[2]),
            "CustomResourceDefinition.apiextensions gateways in east has another spec",
        ),
    ],
)
def test_what_is_not_as_it_was_installed_is_one_sentence(
    change: Callable[[Objects], object], said: str
) -> None:
    assert told(change) == [said]


@pytest.mark.parametrize(
    "change",
    [
        lambda all_: None,
        lambda all_: all_.pop((PODS, f"{SYSTEM}/gateway-1")),
        put(GATEWAY, "status", value={"s": 2}),
        put(GATEWAY, "metadata", "annotations", value={"deployment.kubernetes.io/revision": "2"}),
        put(GATEWAY, "metadata", "resourceVersion", value="7"),
        put((SERVICES, f"{SYSTEM}/gateway"), "spec", "clusterIP", value="2"),
        put((SERVICES, f"{SYSTEM}/gateway"), "spec", "ports", 0, "nodePort", value=2),
        put((CONFIG_MAPS, "kube-public/info"), "data", value={}),
        put((ROLES, "kube-system/r"), "rules", value=[1]),
        put((NODES, "n"), "spec", value={}),
    ],
)
def test_what_comes_and_goes_by_itself_is_no_difference(
    change: Callable[[Objects], object],
) -> None:
    assert told(change) == []


def test_of_what_is_secret_nothing_is_kept() -> None:
    assert "c2VjcmV0" not in str(contents(cluster()))
