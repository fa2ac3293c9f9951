"""Pods of a version are broken, and put right again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import LabError, WaitTimeoutError
from meshproof.faults import workload as module
from meshproof.faults.workload import kill_pods, pods_failing, pods_slow, pods_unready
from meshproof.kube.cluster import Node, RunningCluster
from meshproof.kube.objects import Object
from meshproof.kube.workload import PodWorkload
from meshproof.lab.base import Lab


class Cluster:
    """A cluster with a pod of each version, whose kubelet finds what its node's rules let it."""

    def __init__(self, name: str, *versions: str, mesh: bool = True) -> None:
        self.name, self.mesh = name, mesh
        self.shell = self.api = None
        self.node = cast(Node, name)
        self.rules: dict[str, str] = {}
        self.killed: list[str] = []
        self.core = self
        self.pods = [
            PodWorkload(
                f"helloworld-{one}", "sample", cast(RunningCluster, self), self.node,
                IPv4Address(f"10.0.0.{number}"), version=one, sidecar=True,
            )
            for number, one in enumerate(versions, 1)
        ]  # fmt: skip

    def on_node(self, node: Node, *argv: str, input: str = "", check: bool = True) -> None:
        assert node == self.node
        if argv[1] == "-f":
            self.rules[input.split()[3]] = input
        else:
            self.rules.pop(argv[4], None)

    def list_namespaced_pod(self, _: str) -> Any:
        asked = "".join(self.rules.values())
        return SimpleNamespace(
            items=[self._pod(one, f"{one.address} " in asked) for one in self.pods]
        )

    def _pod(self, one: PodWorkload, refused: bool) -> Any:
        condition = SimpleNamespace(type="Ready", status="False" if refused else "True")
        return SimpleNamespace(
            metadata=SimpleNamespace(name=one.name),
            status=SimpleNamespace(conditions=[condition]),
        )

    def delete_collection_namespaced_pod(self, _: str, **asked: Any) -> None:
        assert asked["grace_period_seconds"] == 0
        self.killed.append(asked["label_selector"])


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> dict[str, Cluster]:
    clusters = {"east": Cluster("east", "v1"), "west": Cluster("west", "v2", "v3")}
    found = lambda cluster, *_, **__: cluster.pods  # noqa: E731
    monkeypatch.setattr(module, "list_workloads", found)
    monkeypatch.setattr(module, "await_rollout", lambda *_: None)
    return clusters


def running(cluster: Cluster) -> RunningCluster:
    return cast(RunningCluster, cluster)


def test_pods_of_one_version_are_killed(there: dict[str, Cluster]) -> None:
    kill_pods(running(there["west"]), "v3")
    assert there["west"].killed == ["app=helloworld,version=v3"]
    with pytest.raises(LabError, match="no pod of 'v1' runs in west") as told:
        kill_pods(running(there["west"]), "v1")
    assert "name v2 or v3" in str(told.value)


def test_kubelet_is_kept_from_one_version_alone(there: dict[str, Cluster]) -> None:
    with pods_unready(running(there["west"]), "v3"):
        (rules,) = there["west"].rules.values()
        assert "ip daddr 10.0.0.2 tcp dport 15021 reject with tcp reset" in rules
        assert "10.0.0.1 " not in rules
    assert there["west"].rules == {}


def test_kubelet_is_let_through_again_when_pods_stay_ready(
    there: dict[str, Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    stays = SimpleNamespace(type="Ready", status="True")
    pod = SimpleNamespace(
        metadata=SimpleNamespace(name="helloworld-v3"), status=SimpleNamespace(conditions=[stays])
    )
    monkeypatch.setattr(module, "_WITHIN", 0.01)
    monkeypatch.setattr(
        there["west"], "list_namespaced_pod", lambda _: SimpleNamespace(items=[pod])
    )
    with (
        pytest.raises(WaitTimeoutError, match="helloworld-v3 of west not ready"),
        pods_unready(running(there["west"]), "v3"),
    ):
        raise AssertionError("it is not in force")
    assert there["west"].rules == {}


class Mesh:
    """Where filters are applied, and what proxies have of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, clusters: dict[str, Cluster]) -> None:
        self.applied: list[tuple[str, Object]] = []
        self.lab = cast(Lab, SimpleNamespace(id="01234567", clusters=clusters))
        monkeypatch.setattr(module, "read", self._read)
        monkeypatch.setattr(module, "applied", self._applied)
        monkeypatch.setattr(module, "inbound_chains", self._chains)

    def _read(self, cluster: Cluster, one: Object) -> Object | None:
        known = {"Namespace": "sample", "CustomResourceDefinition": module._KIND}
        assert one["metadata"]["name"] == known[one["kind"]]
        return one if cluster.mesh or one["kind"] != "Namespace" else None

    @contextmanager
    def _applied(self, cluster: Cluster, objects: list[Object]) -> Iterator[None]:
        before = list(self.applied)
        self.applied += [(cluster.name, one) for one in objects]
        yield
        self.applied = before

    def _chains(self, one: PodWorkload, port: int) -> str:
        assert port == 5000
        selectors = [made["spec"]["workloadSelector"]["labels"] for _, made in self.applied]
        mine = any(labels["version"] == one.version for labels in selectors)
        return '[{"name": "meshproof-faults"}]' if mine else "[]"


@pytest.mark.parametrize("name", ["failing", "slow"])
def test_one_version_alone_has_a_fault_wherever_it_may_be_read(
    there: dict[str, Cluster], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    there["far"] = Cluster("far", mesh=False)
    mesh = Mesh(monkeypatch, there)
    begun = pods_failing(mesh.lab, "v2", 500) if name == "failing" else pods_slow(mesh.lab, "v2", 2)
    with begun:
        assert [where for where, _ in mesh.applied] == ["east", "west"]
        (patch,) = mesh.applied[0][1]["spec"]["configPatches"]
        told = patch["patch"]["value"]["typed_config"]
        abort, delay = told.get("abort"), told.get("delay")
        everybody = {"percentage": {"numerator": 100}}
        due = (
            ({"http_status": 500, **everybody}, None)
            if name == "failing"
            else (None, {"fixed_delay": "2.000s", **everybody})
        )
        assert (abort, delay) == due
    assert mesh.applied == []


def test_what_is_not_there_is_told(
    there: dict[str, Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = Mesh(monkeypatch, there)
    with pytest.raises(LabError, match="no pod of 'v9' runs in lab"), pods_slow(mesh.lab, "v9", 1):
        pass
    for one in there.values():
        one.mesh = False
    with pytest.raises(LabError, match="no mesh is installed"), pods_failing(mesh.lab, "v1"):
        pass
