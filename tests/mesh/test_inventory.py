"""What counts as new in a cluster, and the order in which it goes, told without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.mesh.inventory import Inventory, Resource, Thing, inventory_of, listable
from meshproof.mesh.removal import Stage, deletable, mark_patches, named, stage

NAMESPACES = Resource("", "Namespace", "namespaces", "/api/v1")
NODES = Resource("", "Node", "nodes", "/api/v1")
PODS = Resource("", "Pod", "pods", "/api/v1")
CONFIG_MAPS = Resource("", "ConfigMap", "configmaps", "/api/v1")
DEPLOYMENTS = Resource("apps", "Deployment", "deployments", "/apis/apps/v1")
REPLICA_SETS = Resource("apps", "ReplicaSet", "replicasets", "/apis/apps/v1")
BINDINGS = Resource(
    "rbac.authorization.k8s.io",
    "ClusterRoleBinding",
    "clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1",
)
GATEWAYS = Resource("networking.istio.io", "Gateway", "gateways", "/apis/networking.istio.io/v1")


def inventory(*objects: tuple[Resource, dict[str, Any]]) -> Inventory:
    return inventory_of((resource, [metadata]) for resource, metadata in objects)


def metadata(name: str, namespace: str = "", made_for: str = "", **more: Any) -> dict[str, Any]:
    """An object's metadata; ``made_for``: its controller, such as "apps/v1 ReplicaSet web-1"."""
    made: dict[str, Any] = {"name": name, **more}
    if namespace:
        made["namespace"] = namespace
    if made_for:
        version, kind, owner = made_for.split()
        reference = {"apiVersion": version, "kind": kind, "name": owner, "controller": True}
        made["ownerReferences"] = [reference]
    return made


def deployment(run: str, *, replica_set: str, name: str = "web") -> Inventory:
    """A Deployment and what its controllers made of it; ``run`` varies what they name."""
    return inventory(
        (DEPLOYMENTS, metadata(name, "default")),
        (REPLICA_SETS, metadata(replica_set, "default", f"apps/v1 Deployment {name}")),
        (PODS, metadata(f"{replica_set}-{run}", "default", f"apps/v1 ReplicaSet {replica_set}")),
    )


def names(things: tuple[Thing, ...]) -> list[str]:
    return [str(thing) for thing in things]


def test_new_and_missing_are_told_sorted() -> None:
    before = inventory((CONFIG_MAPS, metadata("old", "default")))
    now = inventory(
        (GATEWAYS, metadata("x", "istio-system")),
        (CONFIG_MAPS, metadata("istio-ca-root-cert", "default")),
    )
    assert names(now.new_since(before)) == [
        "ConfigMap default/istio-ca-root-cert",
        "Gateway.networking.istio.io istio-system/x",
    ]
    assert names(now.missing_since(before)) == ["ConfigMap default/old"]
    assert not now.new_since(now)


def test_pods_and_replica_sets_made_again_are_neither_new_nor_missing() -> None:
    before, now = deployment("a", replica_set="web-1"), deployment("b", replica_set="web-2")
    assert not now.new_since(before)
    assert not now.missing_since(before)


def test_pods_of_a_new_deployment_are_new() -> None:
    new = deployment("a", replica_set="web-1").new_since(inventory())
    assert names(new) == [
        "Pod default/web-1-a",
        "Deployment.apps default/web",
        "ReplicaSet.apps default/web-1",
    ]


def test_a_pod_of_the_nodes_own_files_may_come_back_under_another_name() -> None:
    node = (NODES, metadata("east"))
    before = inventory(node, (PODS, metadata("etcd-old", "kube-system", "v1 Node east")))
    now = inventory((PODS, metadata("etcd-new", "kube-system", "v1 Node east")))
    assert not now.new_since(before)


def test_what_a_new_mesh_makes_for_an_object_that_was_there_is_new() -> None:
    gateway = (GATEWAYS, metadata("x", "default"))
    made = metadata("x-istio", "default", "networking.istio.io/v1 Gateway x")
    now = inventory(gateway, (DEPLOYMENTS, made))
    assert names(now.new_since(inventory(gateway))) == ["Deployment.apps default/x-istio"]


@pytest.mark.parametrize(
    ("resource", "object"),
    [
        (
            Resource("apiregistration.k8s.io", "APIService", "apiservices", "/apis/x"),
            metadata(
                "v1.networking.istio.io",
                labels={"kube-aggregator.kubernetes.io/automanaged": "true"},
            ),
        ),
        (
            Resource("certificates.k8s.io", "CertificateSigningRequest", "csrs", "/apis/x"),
            metadata("csr-8x2k4", generateName="csr-"),
        ),
        (
            Resource("coordination.k8s.io", "Lease", "leases", "/apis/x"),
            metadata("west-worker", namespace="kube-node-lease"),
        ),
    ],
)
def test_what_the_cluster_makes_by_itself_is_left_out(
    resource: Resource, object: dict[str, Any]
) -> None:
    assert inventory((resource, object)).things == frozenset()


def test_each_kind_is_listed_once_in_the_best_version_that_serves_it() -> None:
    def entry(plural: str, kind: str, *verbs: str) -> dict[str, Any]:
        return {"resource": plural, "responseKind": {"kind": kind}, "verbs": list(verbs)}

    gateways = entry("gateways", "Gateway", "list", "delete")
    filters = entry("envoyfilters", "EnvoyFilter", "list", "delete")
    discovery = {
        "items": [
            {
                "metadata": {"name": "networking.istio.io"},
                "versions": [
                    {"version": "v1", "resources": [gateways]},
                    {"version": "v1alpha3", "resources": [gateways, filters]},
                ],
            },
            {
                "metadata": {"name": "events.k8s.io"},
                "versions": [{"version": "v1", "resources": [entry("events", "Event", "list")]}],
            },
            {
                "metadata": {"name": "authentication.k8s.io"},
                "versions": [
                    {"version": "v1", "resources": [entry("reviews", "TokenReview", "create")]}
                ],
            },
        ]
    }
    found = [one.path("default", "x") for one in listable("/apis", discovery)]
    assert found == [
        "/apis/networking.istio.io/v1/namespaces/default/gateways/x",
        "/apis/networking.istio.io/v1alpha3/namespaces/default/envoyfilters/x",
    ]
    core = {"items": [{"versions": [{"version": "v1", "resources": [entry("p", "P", "list")]}]}]}
    assert listable("/api", core) == [Resource("", "P", "p", "/api/v1")]


def test_names_are_written_into_paths_as_the_api_server_reads_them() -> None:
    assert BINDINGS.path("", "istio:reader").endswith("/clusterrolebindings/istio%3Areader")


def test_a_namespaces_new_marks_are_new_but_the_namespace_is_not() -> None:
    before = inventory((NAMESPACES, metadata("default", labels={"team": "a"})))
    labels = {"istio-injection": "enabled", "team": "b"}
    now = inventory((NAMESPACES, metadata("default", labels=labels)))
    new = now.new_since(before)
    assert names(new) == ["Namespace default (label istio-injection=enabled)"]
    assert before.knows(new[0])
    assert deletable(new, before) == []


def test_where_a_mesh_has_said_that_nodes_are_is_taken_back() -> None:
    nodes = Resource("", "Node", "nodes", "/api/v1")
    own = {"kubernetes.io/os": "linux"}
    place = {"topology.kubernetes.io/region": "r1", "topology.kubernetes.io/zone": "r1-a"}
    before = inventory((nodes, metadata("n", labels=own)))
    now = inventory((nodes, metadata("n", labels=own | place)))
    (new,) = now.new_since(before)
    assert "label topology.kubernetes.io/region=r1" in str(new)
    taken_off = {"metadata": {"labels": dict.fromkeys(place)}}
    assert mark_patches(now, before) == {"/api/v1/nodes/n": taken_off}


def test_marks_are_put_back_as_they_were() -> None:
    def marked(labels: dict[str, str], notes: dict[str, str]) -> Inventory:
        return inventory((NAMESPACES, metadata("default", labels=labels, annotations=notes)))

    before = marked({"istio.io/rev": "a=b", "topology.istio.io/network": "n"}, {})
    now = marked({"istio.io/rev": "c"}, {"topology.istio.io/controlPlaneClusters": "*"})
    assert mark_patches(now, before) == {
        "/api/v1/namespaces/default": {
            "metadata": {
                "labels": {"istio.io/rev": "a=b", "topology.istio.io/network": "n"},
                "annotations": {"topology.istio.io/controlPlaneClusters": None},
            }
        }
    }
    assert mark_patches(now, now) == {}
    assert mark_patches(now, inventory()) == {}


def test_things_go_in_the_order_of_their_stages() -> None:
    kinds = [
        ("", "ConfigMap"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("", "Pod"),
        ("apps", "ReplicaSet"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("", "Namespace"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
    ]
    groups = deletable((Thing(group, kind, "", "x") for group, kind in kinds), inventory())
    assert [stage(group[0]) for group in groups] == list(Stage)
    assert named(groups[0]).startswith("MutatingWebhookConfiguration.")
    assert [thing.kind for thing in groups[3]] == ["DaemonSet", "Deployment"]
    assert [thing.kind for thing in groups[-1]] == ["ConfigMap", "ClusterRole"]


def test_nodes_and_what_was_there_are_not_deleted() -> None:
    old = Thing("", "ConfigMap", "default", "old")
    node = Thing("", "Node", "", "east")
    assert deletable([old, node], Inventory(frozenset({old}))) == []
