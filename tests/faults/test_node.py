"""A node that is drained: its pods go, budgets are kept, and it takes pods again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import LabError
from meshproof.faults import node as module
from meshproof.faults.node import node_drained
from meshproof.kube import client
from meshproof.kube.cluster import Node, RunningCluster

WORKER = Node("west-worker", IPv4Address("10.1.0.3"), IPv4Network("10.2.1.0/24"), False)


class Cluster:
    """A cluster that ends what it evicts, unless a budget, or nothing at all, lets it go."""

    def __init__(self, held: str = "", stuck: str = "") -> None:
        self.name, self.api, self.shell = "west", None, None
        self.core = self
        self.held, self.stuck = held, stuck
        self.there = {"helloworld": "ReplicaSet", "istiod": "ReplicaSet", "kube-proxy": "DaemonSet"}
        self.closed: list[bool] = []
        self.asked: list[str] = []
        self.scaled: list[tuple[str, int]] = []

    def patch_node(self, name: str, body: Any) -> None:
        assert name == WORKER.container
        self.closed.append(body["spec"]["unschedulable"])

    def list_pod_for_all_namespaces(self, field_selector: str) -> Any:
        assert field_selector == f"spec.nodeName={WORKER.container}"
        return SimpleNamespace(items=[_pod(*one) for one in self.there.items()])

    def create_namespaced_pod_eviction(self, name: str, namespace: str, body: Any) -> None:
        assert body["metadata"] == {"name": name, "namespace": namespace}
        self.asked.append(name)
        if name == self.held and not self.scaled:
            raise client.ApiException(status=429)
        if name == self.stuck:
            raise client.ApiException(status=403, reason="Forbidden")
        del self.there[name]


def _pod(name: str, kind: str) -> Any:
    owner = SimpleNamespace(kind=kind, name=name)
    return SimpleNamespace(
        metadata=SimpleNamespace(
            name=name, namespace="sample", annotations=None, deletion_timestamp=None,
            owner_references=[owner],
        ),
        status=SimpleNamespace(phase="Running"),
    )  # fmt: skip


class Apps:
    """Deployments, each with a ReplicaSet of its name."""

    def __init__(self, _: Any) -> None: ...

    def read_namespaced_replica_set(self, name: str, _: str) -> Any:
        owner = SimpleNamespace(kind="Deployment", name=name)
        return SimpleNamespace(metadata=SimpleNamespace(owner_references=[owner]))

    def read_namespaced_deployment(self, _: str, __: str) -> Any:
        return SimpleNamespace(spec=SimpleNamespace(replicas=1))


@pytest.fixture
def drained(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Drains the worker of a cluster in memory; gives the Deployments that were waited for."""

    @contextmanager
    def drain(cluster: Cluster) -> Iterator[list[str]]:
        waited: list[str] = []
        fake = SimpleNamespace(AppsV1Api=Apps, ApiException=client.ApiException)
        monkeypatch.setattr(module, "client", fake)
        monkeypatch.setattr(module, "scale", lambda _, __, one: cluster.scaled.extend(one.items()))
        monkeypatch.setattr(module, "await_rollout", lambda _, __, one, ___: waited.extend(one))
        monkeypatch.setattr(module, "_EMPTY_WITHIN", 5.0)
        with node_drained(cast(RunningCluster, cluster), WORKER):
            yield waited

    return drain


def test_pods_go_and_the_node_takes_others_again(drained: Any) -> None:
    cluster = Cluster()
    with drained(cluster) as waited:
        assert cluster.closed == [True]
        assert list(cluster.there) == ["kube-proxy"]
        assert waited == ["helloworld", "istiod"]
    assert cluster.closed == [True, False]
    assert cluster.scaled == []


def test_what_a_budget_holds_back_has_another_instance_meanwhile(drained: Any) -> None:
    cluster = Cluster(held="istiod")
    with drained(cluster):
        assert cluster.asked.count("istiod") == 2
        assert cluster.scaled == [("istiod", 2)]
    assert cluster.scaled == [("istiod", 2), ("istiod", 1)]


def test_what_may_not_go_is_told_and_the_node_takes_pods_again(drained: Any) -> None:
    cluster = Cluster(stuck="helloworld")
    with pytest.raises(LabError, match="helloworld"), drained(cluster):
        pass
    assert cluster.closed == [True, False]
