"""A restart: other pods in place of a Deployment's, and the old ones are waited for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.kube import RunningCluster, rollout
from meshproof.kube.rollout import pods_of, restart
from meshproof.process import Shell


class Played:
    """A Deployment and its pods; the old one is seen to go for a while after it was replaced."""

    def __init__(self) -> None:
        self.pods = ["gateway-old"]
        self.looks = 0
        self.patches: list[Any] = []
        self.core = SimpleNamespace(list_namespaced_pod=self.listed)

    def listed(self, namespace: str, *, label_selector: str) -> Any:
        assert (namespace, label_selector) == ("istio-system", "app=gateway,istio=eastwest")
        if self.patches:
            self.looks += 1
            self.pods = ["gateway-new"] if self.looks > 2 else ["gateway-old", "gateway-new"]
        items = [SimpleNamespace(metadata=SimpleNamespace(name=name)) for name in self.pods]
        return SimpleNamespace(items=items)

    def read(self, name: str, _: str) -> Any:
        assert name == "gateway"
        labels = {"app": "gateway", "istio": "eastwest"}
        selector = SimpleNamespace(match_labels=labels)
        return SimpleNamespace(spec=SimpleNamespace(selector=selector))

    def patch(self, name: str, _: str, body: Any) -> None:
        self.patches.append(body)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    made = Played()
    apps = SimpleNamespace(
        read_namespaced_deployment=made.read, patch_namespaced_deployment=made.patch
    )
    monkeypatch.setattr(rollout, "client", SimpleNamespace(AppsV1Api=lambda _: apps))
    monkeypatch.setattr(rollout, "await_rollout", lambda *_: None)
    return made


def test_a_restart_waits_for_the_end_of_the_old_pods(played: Played) -> None:
    api: Any = SimpleNamespace(name="east", api=None, core=played.core)
    cluster = cast(RunningCluster, api)
    assert pods_of(cluster, "istio-system", "gateway") == {"gateway-old"}
    restart(cluster, "istio-system", "gateway", Shell())
    assert played.pods == ["gateway-new"] and played.looks == 3
    (body,) = played.patches
    (mark,) = body["spec"]["template"]["metadata"]["annotations"]
    assert mark == "kubectl.kubernetes.io/restartedAt"
