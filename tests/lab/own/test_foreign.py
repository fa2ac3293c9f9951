"""In somebody else's cluster ours is told from theirs: what is made bears a label, what is not ours
is not changed, and what goes is ours alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from meshproof.artifacts.images import WORKLOAD
from meshproof.errors import LabError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.foreign import LAB_LABEL, Foreign, NoNodes
from meshproof.kube.objects import apply, delete
from meshproof.lab.own.addresses import LateAddresses
from meshproof.lab.own.there import lock
from meshproof.mesh.inventory import Inventory, Resource, inventory_of
from meshproof.model import Cluster
from meshproof.process import Shell
from meshproof.workloads.sample import sleep_objects
from tests.lab.own.api import Answer, Recorded, namespace, served, write_kubeconfig

LAB = "0a1b2c3d"
OURS = {LAB_LABEL: LAB}
NODE = {"apiVersion": "v1", "kind": "Node"}
CORE: dict[str, Answer] = {
    "GET /version": {"major": "1", "minor": "33"},
    "GET /api": {"kind": "APIVersions", "versions": ["v1"]},
    "GET /apis": {"kind": "APIGroupList", "groups": []},
    "GET /api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": one, "singularName": "", "namespaced": inside, "kind": kind, "verbs": []}
            for one, inside, kind in (
                ("configmaps", True, "ConfigMap"),
                ("namespaces", False, "Namespace"),
                ("nodes", False, "Node"),
                ("services", True, "Service"),
            )
        ],
    },
}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


def cluster(
    stack: ExitStack, folder: Path, answers: dict[str, Answer]
) -> tuple[RunningCluster, Recorded]:
    recorded = stack.enter_context(served(Recorded({**CORE, **answers})))
    path = write_kubeconfig(folder / "config", {"theirs": recorded.url})
    spec = Cluster("east", IPv4Network("10.1.0.0/16"), IPv4Network("10.2.0.0/16"), "")
    foreign = Foreign("theirs", folder / "lab", LAB, "https://10.0.0.1:6443", {WORKLOAD: "r/w@1"})
    (folder / "lab").mkdir(exist_ok=True)
    return RunningCluster(spec, path, NoNodes(Shell()), foreign), recorded


def config_map(space: str) -> dict[str, Any]:
    metadata = {"name": "mine", "namespace": space}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}


def test_objects_bear_the_label_and_images_that_nodes_can_have() -> None:
    foreign = Foreign("theirs", Path("lab"), LAB, images={WORKLOAD: "registry/w@sha256:1"})
    before = sleep_objects()
    account, deployment = (foreign.as_there(one) for one in before)
    assert account["metadata"]["labels"] == OURS
    assert deployment["metadata"]["labels"] == {"app": "sleep", **OURS}
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry/w@sha256:1"
    assert before == sleep_objects()


def test_in_a_namespace_of_ours_objects_are_applied_and_deleted(
    stack: ExitStack, tmp_path: Path
) -> None:
    path = "/api/v1/namespaces/sample/configmaps/mine"
    running, recorded = cluster(
        stack,
        tmp_path,
        {
            "GET /api/v1/namespaces/sample": namespace("sample", labels=OURS),
            f"PATCH {path}": config_map("sample"),
            f"DELETE {path}": {"apiVersion": "v1", "kind": "Status"},
        },
    )
    apply(running, [config_map("sample")])
    delete(running, [config_map("sample")])
    assert recorded.changes() == [f"PATCH {path}", f"DELETE {path}"]
    assert {one.name for one in tmp_path.iterdir()} == {"config", "lab"}  # nothing beside theirs


@pytest.mark.parametrize(
    ("answers", "one"),
    [
        (
            {"GET /api/v1/namespaces/kube-system": namespace("kube-system")},
            config_map("kube-system"),
        ),
        (
            {"GET /api/v1/namespaces/sample": namespace("sample", labels={LAB_LABEL: "deadbeef"})},
            config_map("sample"),
        ),
        (
            {"GET /api/v1/namespaces/sample": namespace("sample")},
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sample"}},
        ),
        (
            {"GET /api/v1/nodes/a": {**NODE, "metadata": {"name": "a"}}},
            {**NODE, "metadata": {"name": "a"}},
        ),
    ],
)
def test_what_is_not_ours_is_neither_changed_nor_deleted(
    stack: ExitStack, tmp_path: Path, answers: dict[str, Answer], one: dict[str, Any]
) -> None:
    running, recorded = cluster(stack, tmp_path, answers)
    for act in (apply, delete):
        with pytest.raises(LabError, match="is not ours to change, and was left as it is"):
            act(running, [one])
    assert recorded.changes() == []


def test_no_program_runs_on_its_nodes() -> None:
    with pytest.raises(LabError, match="needs a lab on whose nodes programs can be run: a is none"):
        NoNodes(Shell()).exec("a", ["ip", "route"])


def test_the_lock_is_made_by_one_of_two(stack: ExitStack, tmp_path: Path) -> None:
    held = namespace(
        "meshproof-own",
        labels={LAB_LABEL: "deadbeef"},
        annotations={"meshproof.io/holder": "ci-7, process 12", "meshproof.io/since": "noon"},
    )
    running, recorded = cluster(
        stack,
        tmp_path,
        {
            "POST /api/v1/namespaces": (409, {"message": "already exists"}),
            "GET /api/v1/namespaces/meshproof-own": held,
        },
    )
    with pytest.raises(
        LabError, match=r"east is used by lab deadbeef \(ci-7, process 12\) since noon"
    ):
        lock("east", running.api, LAB)
    recorded.answers["POST /api/v1/namespaces"] = (201, held)
    lock("east", running.api, LAB)
    (body,) = [body for key, body in recorded.asked[-1:] if key.startswith("POST")]
    assert body["metadata"]["labels"] == OURS


SERVICE = "GET /api/v1/namespaces/istio-system/services/gateway"


def test_an_address_that_comes_late_is_waited_for_at_a_service_made_ahead(
    stack: ExitStack, tmp_path: Path
) -> None:
    looks: list[int] = []

    def service(_: object) -> Any:
        looks.append(1)
        if not any(key.startswith("PATCH") for key, _ in recorded.asked):
            return 404, {}
        late = [{"ip": "198.51.100.7"}] if len(looks) > 3 else []
        spec = {"type": "LoadBalancer", "ports": [{"port": 15012}]}
        return {
            "metadata": {"name": "x"},
            "spec": spec,
            "status": {"loadBalancer": {"ingress": late}},
        }

    path = "/api/v1/namespaces/istio-system"
    running, recorded = cluster(
        stack,
        tmp_path,
        {
            SERVICE: service,
            f"PATCH {path}": namespace("istio-system"),
            f"PATCH {path}/services/gateway": {"apiVersion": "v1", "kind": "Service"},
        },
    )
    addresses = LateAddresses(running, within=10)
    assert addresses.reserve("istio-system", "gateway") == IPv4Address("198.51.100.7")
    assert recorded.changes() == [f"PATCH {path}", f"PATCH {path}/services/gateway"]
    seen = len(recorded.asked)
    assert addresses.give("istio-system", "gateway") == IPv4Address("198.51.100.7")
    assert len(recorded.asked) == seen


@pytest.mark.parametrize(
    ("ingress", "told"),
    [
        (
            [],
            "no load balancer gave Service istio-system/gateway of east an address within 1 s, and",
        ),
        ([{"hostname": "a.example"}], "announces Service .* by the host name a.example"),
    ],
)
def test_without_an_address_it_is_said_why(
    stack: ExitStack, tmp_path: Path, ingress: list[dict[str, str]], told: str
) -> None:
    there = {
        "metadata": {"name": "gateway"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 15012}]},
        "status": {"loadBalancer": {"ingress": ingress}},
    }
    event = {
        "metadata": {"name": "x"},
        "involvedObject": {},
        "message": "no addresses left in the pool",
    }
    running, _ = cluster(
        stack,
        tmp_path,
        {SERVICE: there, "GET /api/v1/namespaces/istio-system/events": {"items": [event]}},
    )
    with pytest.raises(LabError, match=told):
        LateAddresses(running, within=1).reserve("istio-system", "gateway")


def inventory(*more: tuple[Resource, dict[str, Any]]) -> Inventory:
    """What is there: two namespaces, one of which is ours, with a ConfigMap each."""
    maps, spaces = Resource("", "ConfigMap", "configmaps", "/api/v1"), _SPACES
    things: list[tuple[Resource, dict[str, Any]]] = [
        (spaces, {"name": "sample", "labels": OURS}),
        (spaces, {"name": "shop", "labels": {"istio-injection": "enabled"}}),
        (maps, {"name": "a", "namespace": "sample"}),
        (maps, {"name": "b", "namespace": "shop"}),
        *more,
    ]
    return inventory_of([(resource, [metadata]) for resource, metadata in things])


_SPACES = Resource("", "Namespace", "namespaces", "/api/v1")
_ROLES = Resource("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", "/apis/rbac")
_KINDS = Resource("apiextensions.k8s.io", "CustomResourceDefinition", "crds", "/apis/x")
_MAPS = Resource("", "ConfigMap", "configmaps", "/api/v1")


def names(found: Inventory) -> set[str]:
    return {one.name for one in found.things}


def test_of_all_that_is_there_ours_is_told() -> None:
    found = inventory(
        (_ROLES, {"name": "istiod-clusterrole"}),
        (_ROLES, {"name": "their-role"}),
        (_ROLES, {"name": "reader", "labels": {"operator.istio.io/component": "Pilot"}}),
        (_KINDS, {"name": "gateways.networking.istio.io"}),
        (_KINDS, {"name": "gateways.example.org"}),
        (_MAPS, {"name": "istio-ca", "namespace": "shop", "labels": {"istio.io/config": "true"}}),
        (_MAPS, {"name": "istio-notes", "namespace": "shop"}),
    ).of_lab(LAB)
    assert names(found) == {
        "sample",
        "a",
        "istiod-clusterrole",
        "reader",
        "gateways.networking.istio.io",
        "istio-ca",
    }


LOCKED, BEFORE = "2026-12-01T03:00:00Z", "2026-11-30T23:59:59Z"
_SERVICES = Resource("", "Service", "services", "/api/v1")


def test_an_istio_that_is_older_than_the_lock_is_somebody_elses() -> None:
    by_istio = {"operator.istio.io/component": "Pilot"}
    found = inventory(
        (_ROLES, {"name": "istiod-old", "creationTimestamp": BEFORE}),
        (_ROLES, {"name": "istiod-ours", "creationTimestamp": LOCKED}),
        (_SERVICES, {"name": "istiod", "namespace": "shop", "labels": by_istio}),
    )
    assert names(found.of_lab(LAB, since=LOCKED)) == {"sample", "a", "istiod-ours"}
    assert names(found.of_lab(LAB, since=LOCKED, istios=False)) == {"sample", "a"}


def test_what_others_make_meanwhile_is_never_ours_to_remove() -> None:
    before = inventory()
    now = inventory((_MAPS, {"name": "theirs", "namespace": "shop"}))
    assert now.of_lab(LAB).new_since(before.of_lab(LAB)) == ()
    assert [one.name for one in now.new_since(before)] == ["theirs"]
    assert names(now.without(now.of_lab(LAB))) == {"shop", "b", "theirs"}
