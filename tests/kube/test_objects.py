"""A change for a while leaves what it found: nothing that was wrong is put right by it."""

from __future__ import annotations

import copy
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kubernetes.client.exceptions import ApiException

from meshproof.errors import LabError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import Object, apply, as_found, would_be

MODE: Object = {
    "apiVersion": "security.istio.io/v1",
    "kind": "PeerAuthentication",
    "metadata": {"name": "default", "namespace": "istio-system"},
    "spec": {"mtls": {"mode": "PERMISSIVE"}},
}


class Kind:
    """The objects of one kind, by name; the server gives each a uid and a version."""

    def __init__(self) -> None:
        self.there: dict[str, Object] = {}
        self.version = 0

    def get(self, *, name: str, namespace: str | None) -> Any:
        if name not in self.there:
            raise ApiException(404)
        found = copy.deepcopy(self.there[name])
        return SimpleNamespace(to_dict=lambda: found)

    def server_side_apply(self, *, body: Object, name: str, **_: Any) -> None:
        self._put(name, {**self.there.get(name, {}), **copy.deepcopy(body)})

    def create(self, *, body: Object, namespace: str | None, dry_run: str = "") -> Any:
        if dry_run:
            return self._tried(body, dry_run)
        assert "resourceVersion" not in body["metadata"] and "uid" not in body["metadata"]
        self._put(body["metadata"]["name"], body)
        return None

    def _tried(self, body: Object, dry_run: str) -> Any:
        """What webhooks make of it; one of them refuses mode "NONE"."""
        assert dry_run == "All"
        if body["spec"]["mtls"]["mode"] == "NONE":
            error = ApiException(400, reason="Bad Request")
            error.body = json.dumps({"message": 'admission webhook "x" denied the request'})
            raise error
        return SimpleNamespace(to_dict=lambda: {**body, "status": {"tried": True}})

    def replace(self, *, body: Object, namespace: str | None) -> None:
        name = body["metadata"]["name"]
        assert body["metadata"]["resourceVersion"] == str(self.version)
        self._put(name, body)

    def delete(self, *, name: str, **_: Any) -> None:
        if self.there.pop(name, None) is None:
            raise ApiException(404)

    def _put(self, name: str, body: Object) -> None:
        self.version += 1
        server = {"uid": "1", "resourceVersion": str(self.version)}
        self.there[name] = {**body, "metadata": {**body["metadata"], **server}}


@pytest.fixture
def kind() -> Kind:
    return Kind()


@pytest.fixture
def cluster(kind: Kind) -> RunningCluster:
    resources = SimpleNamespace(get=lambda **_: kind)
    made = SimpleNamespace(name="east", foreign=None, dynamic=SimpleNamespace(resources=resources))
    return cast(RunningCluster, made)


def test_what_was_not_there_is_not_there_afterwards(kind: Kind, cluster: RunningCluster) -> None:
    with as_found(cluster, [MODE]):
        apply(cluster, [MODE])
        assert kind.there["default"]["spec"] == MODE["spec"]
    assert kind.there == {}


def test_what_was_there_is_as_it_was(kind: Kind, cluster: RunningCluster) -> None:
    wrong = {"selector": {"x": "y"}, "mtls": {"mode": "DISABLE"}}
    apply(cluster, [{**MODE, "spec": wrong}])
    with as_found(cluster, [MODE]):
        apply(cluster, [MODE])
    assert kind.there["default"]["spec"] == wrong


def test_what_was_deleted_meanwhile_is_made_anew(kind: Kind, cluster: RunningCluster) -> None:
    apply(cluster, [MODE])
    with as_found(cluster, [MODE]):
        kind.delete(name="default")
    assert kind.there["default"]["spec"] == MODE["spec"]


def test_a_dry_run_tells_what_would_become_of_it_and_makes_nothing(
    kind: Kind, cluster: RunningCluster
) -> None:
    assert would_be(cluster, MODE)["status"] == {"tried": True}
    refused = {**MODE, "spec": {"mtls": {"mode": "NONE"}}}
    with pytest.raises(LabError, match=r'as a dry run: .*webhook "x" denied the request'):
        would_be(cluster, refused)
    assert kind.there == {}


def test_it_is_put_back_also_when_the_block_fails(kind: Kind, cluster: RunningCluster) -> None:
    with pytest.raises(ValueError, match="no"), as_found(cluster, [MODE]):
        apply(cluster, [MODE])
        raise ValueError("no")
    assert kind.there == {}
