"""Istiods get other settings for a while, and then those that they had."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import kubernetes.client
import pytest

from meshproof.errors import WaitTimeoutError
from meshproof.faults import istiod
from meshproof.faults.istiod import istiods_set

Env = dict[str, str]


class Apps:
    """istiod's Deployment in one cluster, as far as its environment goes."""

    def __init__(self, env: Env) -> None:
        self.env = env

    def read_namespaced_deployment(self, name: str, namespace: str) -> Any:
        assert (name, namespace) == ("istiod", "istio-system")
        env = [SimpleNamespace(name=key, value=value) for key, value in self.env.items()]
        container = SimpleNamespace(name="discovery", env=env)
        template = SimpleNamespace(spec=SimpleNamespace(containers=[container]))
        return SimpleNamespace(spec=SimpleNamespace(template=template))

    def patch_namespaced_deployment(self, name: str, namespace: str, body: Any) -> None:
        (container,) = body["spec"]["template"]["spec"]["containers"]
        for one in container["env"]:
            if one.get("$patch") == "delete":
                self.env.pop(one["name"], None)
            else:
                self.env[one["name"]] = one["value"]


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch) -> dict[str, Apps]:
    """Two control planes, whose settings differ."""
    made = {"east": Apps({"OWN": "1", "FLAG": "false"}), "west": Apps({"OWN": "1"})}
    monkeypatch.setattr(kubernetes.client, "AppsV1Api", lambda api: made[api])
    monkeypatch.setattr(istiod, "await_rollout", lambda *_: None)
    monkeypatch.setattr(istiod, "healed", lambda _: None)
    return made


def sample_with(dirty: Callable[[str], None]) -> Any:
    planes = [SimpleNamespace(name="east"), SimpleNamespace(name="west")]
    topology = SimpleNamespace(control_planes=planes)
    return SimpleNamespace(
        mesh=SimpleNamespace(
            deployment=SimpleNamespace(topology=topology),
            blueprint=SimpleNamespace(revised=lambda name: name),
            cluster=lambda name: SimpleNamespace(name=name, api=name),
            shell=None,
            mark_dirty=dirty,
        )
    )


def test_each_has_its_own_settings_again(
    apps: dict[str, Apps], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(istiod, "await_proxies", lambda _: None)
    monkeypatch.setattr(istiod, "await_drained", lambda _: True)
    with istiods_set(sample_with(pytest.fail), {"FLAG": "true", "NEW": "x"}):
        assert apps["east"].env == {"OWN": "1", "FLAG": "true", "NEW": "x"}
        assert apps["west"].env == {"OWN": "1", "FLAG": "true", "NEW": "x"}
    assert apps["east"].env == {"OWN": "1", "FLAG": "false"}
    assert apps["west"].env == {"OWN": "1"}


def test_a_mesh_whose_proxies_do_not_come_back_is_marked(
    apps: dict[str, Apps], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise WaitTimeoutError("the proxies' configuration did not come about")

    told: list[str] = []
    monkeypatch.setattr(istiod, "await_proxies", fail)
    with (
        pytest.raises(WaitTimeoutError),
        istiods_set(sample_with(told.append), {"FLAG": "true"}),
    ):
        raise AssertionError("nothing is claimed of such a mesh")
    assert apps["west"].env == {"OWN": "1"}
    assert "did not come about" in told[0]
