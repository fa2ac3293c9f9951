"""What Flux is told, and what is read of what it says."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from meshproof.artifacts import HostArtifacts
from meshproof.errors import LabError
from meshproof.host import registry
from meshproof.host.flux import PACE, assignment_object, held, source_object, state_of
from meshproof.host.programs import kind_objects, left_by_programs, program_objects
from meshproof.host.reconciler import Assignment, Readiness
from meshproof.kube.forward import Answer, Request

STATUS: dict[str, Any] = {
    "conditions": [
        {"type": "Reconciling", "status": "True", "reason": "ProgressingWithRetry"},
        {
            "type": "Ready",
            "status": "True",
            "reason": "ReconciliationSucceeded",
            "message": "Applied revision: latest@sha256:aa",
        },
    ],
    "inventory": {"entries": [{"id": "shop_catalogue__ConfigMap", "v": "v1"}]},
    "lastAppliedRevision": "latest@sha256:aa",
    "lastAttemptedRevision": "latest@sha256:bb",
    "lastHandledReconcileAt": "0123",
    "observedGeneration": 2,
}


def found(**status: object) -> dict[str, Any]:
    return {"metadata": {"generation": 2}, "status": {**STATUS, **status}}


def ready(status: str) -> list[dict[str, str]]:
    return [{"type": "Ready", "status": status, "reason": "R", "message": "said"}]


def test_what_a_status_says() -> None:
    state = state_of(found())
    assert state.readiness is Readiness.READY and state.reason == "ReconciliationSucceeded"
    assert (state.applied, state.attempted) == ("latest@sha256:aa", "latest@sha256:bb")
    assert state.handled == "0123" and state.holds == {"ConfigMap shop/catalogue"}


def test_what_is_not_decided_is_said_to_be_worked_on() -> None:
    assert state_of(found(conditions=ready("Unknown"))).readiness is Readiness.WORKING
    assert state_of(found(conditions=[])).readiness is Readiness.WORKING
    assert state_of(found(observedGeneration=1)).readiness is Readiness.WORKING
    assert state_of({"metadata": {"generation": 1}}).readiness is Readiness.WORKING


def test_a_failure_counts_before_its_generation_is_observed() -> None:
    state = state_of(found(conditions=ready("False"), observedGeneration=-1))
    assert state.readiness is Readiness.FAILED and str(state) == "failed (R: said)"


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("shop_catalogue__ConfigMap", "ConfigMap shop/catalogue"),
        ("_shop__Namespace", "Namespace shop"),
        ("shop_deployer_rbac.authorization.k8s.io_Role", "Role shop/deployer"),
        ("_a__b_rbac.authorization.k8s.io_ClusterRole", "ClusterRole a:b"),
    ],
)
def test_entries_of_an_inventory_are_called_as_objects_are(identity: str, name: str) -> None:
    assert held(identity) == name


def test_an_assignment_goes_by_its_members_credential_and_its_tenants_account() -> None:
    usual = assignment_object(Assignment("shop", "east"))
    assert usual["metadata"] == {"name": "east", "namespace": "shop"}
    spec = usual["spec"]
    assert spec["kubeConfig"] == {"secretRef": {"name": "east"}} and spec["path"] == "./east"
    assert spec["serviceAccountName"] == "deployer" and spec["prune"] is True
    other = assignment_object(Assignment("shop", "east", "west", "again", "default"))
    assert other["metadata"]["name"] == "again" and other["spec"]["path"] == "./west"
    assert other["spec"]["serviceAccountName"] == "default"


def test_an_assignment_is_seen_to_as_often_as_it_says() -> None:
    often, usual = Assignment("shop", "east", every=20), Assignment("shop", "east")
    assert assignment_object(often)["spec"]["interval"] == "20s"
    assert assignment_object(usual)["spec"]["interval"] == PACE.interval


def test_a_source_is_followed_in_the_hosts_own_registry() -> None:
    spec = source_object("shop")["spec"]
    assert spec["url"] == "oci://registry.flux-system.svc.cluster.local:5000/shop"
    assert spec["insecure"] is True


class PlayedRegistry:
    """A registry that takes blobs in two steps, as distribution's does."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}

    def send(self, _: object, __: str, ___: str, port: int, request: Request) -> Answer:
        assert port == registry.PORT
        url = urlsplit(f"/{request.path}")
        if request.method == "POST":
            place = "http://localhost:5000/v2/shop/blobs/uploads/1?_state=s"
            return Answer(HTTPStatus.ACCEPTED, "", {"location": place}, b"")
        if "/manifests/" in url.path:
            told = json.loads(request.body)
            missing = [
                one for one in (told["config"], *told["layers"]) if one["digest"] not in self.blobs
            ]
            if missing:
                return Answer(HTTPStatus.BAD_REQUEST, "", {}, b"blob unknown")
            self.manifests[url.path] = request.body
            return Answer(HTTPStatus.CREATED, "", {}, b"")
        query = parse_qs(url.query)
        digest = f"sha256:{hashlib.sha256(request.body).hexdigest()}"
        assert query == {"_state": ["s"], "digest": [digest]}
        self.blobs[digest] = request.body
        return Answer(HTTPStatus.CREATED, "", {}, b"")


def pod(*_: object) -> SimpleNamespace:
    running = SimpleNamespace(name="host")
    return SimpleNamespace(running=running, namespace="n", name="p", cluster="host")


def test_what_is_pushed_lies_in_the_registry_under_its_revision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played = PlayedRegistry()
    monkeypatch.setattr(registry, "find_workload", pod)
    monkeypatch.setattr(registry, "send", played.send)
    revision = registry.push(SimpleNamespace(), "shop", b"packed")  # type: ignore[arg-type]
    ((path, manifest),) = played.manifests.items()
    assert path == "/v2/shop/manifests/latest"
    assert revision == f"latest@sha256:{hashlib.sha256(manifest).hexdigest()}"
    (layer,) = json.loads(manifest)["layers"]
    assert played.blobs[layer["digest"]] == b"packed" and layer["size"] == 6
    again = registry.push(SimpleNamespace(), "shop", b"packed")  # type: ignore[arg-type]
    assert again == revision


def test_what_the_registry_refuses_is_told_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Answer(HTTPStatus.INSUFFICIENT_STORAGE, "", {}, b"no space")
    monkeypatch.setattr(registry, "find_workload", pod)
    monkeypatch.setattr(registry, "send", lambda *_: refusing)
    with pytest.raises(LabError, match=r"registry of host answered POST .* with 507: no space"):
        registry.push(SimpleNamespace(), "shop", b"packed")  # type: ignore[arg-type]


ROLE = """---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: manager-role
rules: []
"""


def artifacts(folder: Any) -> HostArtifacts:
    kind, role = folder / "kind.yaml", folder / "role.yaml"
    kind.write_text("---\nkind: CustomResourceDefinition\nmetadata: {name: k}\n", encoding="utf-8")
    role.write_text(ROLE, encoding="utf-8")
    names = ("kustomize-controller", "source-controller", "registry")
    roles = dict.fromkeys(names[:2], role)
    return HostArtifacts(folder / "a.tar", {one: f"i/{one}:1" for one in names}, (kind,), roles)


def test_the_programs_have_the_roles_that_they_came_with_and_no_other(tmp_path: Any) -> None:
    objects = program_objects(artifacts(tmp_path))
    bindings = [one for one in objects if one["kind"] == "ClusterRoleBinding"]
    assert [one["roleRef"]["name"] for one in bindings] == [
        "kustomize-controller",
        "source-controller",
    ]
    images = [
        one["spec"]["template"]["spec"]["containers"][0]["image"]
        for one in objects
        if one["kind"] == "Deployment"
    ]
    assert images == [
        "i/kustomize-controller:1",
        "i/source-controller:1",
        "i/registry:1",
    ]


def test_what_goes_with_no_namespace_is_named_to_be_removed(tmp_path: Any) -> None:
    given = artifacts(tmp_path)
    left = [(one["kind"], one["metadata"]["name"]) for one in left_by_programs(given)]
    assert ("CustomResourceDefinition", "k") in left and len(left) == 5
    assert [one["metadata"]["name"] for one in kind_objects(given)] == ["k"]
