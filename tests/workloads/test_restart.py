"""Workloads are restarted with somebody always there to call, and to be called."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import LabError
from meshproof.kube.workload import PodWorkload
from meshproof.workloads import restart as module
from meshproof.workloads.restart import another_sleep, restart_helloworld
from meshproof.workloads.sample import (
    Sample,
    ending_gracefully,
    helloworld_objects,
    sleep_objects,
)
from tests.stand_ins import workload


class World:
    """A Deployment of sleep; ``chooses``: which of two pods goes when one has to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pods = [workload("sleep-old", "east")]
        self.costs: dict[str, str] = {}
        self.done: list[str] = []
        self.heeds = True
        core = SimpleNamespace(patch_namespaced_pod=self._cost)
        self.cluster = SimpleNamespace(name="east", core=core)
        mesh = SimpleNamespace(cluster=lambda _: self.cluster, shell=None)
        self.sample = Sample(cast(Any, mesh))
        self.sample.replace_caller(self.pods[0])
        replaced: dict[str, Any] = {
            "scale": self._scale,
            "await_rollout": lambda *_: None,
            "await_end_of": lambda *_: None,
            "pods_of": lambda *_: {one.name for one in self.pods},
            "list_workloads": lambda *_: self.pods,
            "restart": lambda _, __, name, ___: self.done.append(f"restart {name}"),
            "side_by_side": lambda _, do, names: [do(one) for one in names],
        }
        for name, value in replaced.items():
            monkeypatch.setattr(module, name, value)

    def _cost(self, name: str, _: str, patch: Any) -> None:
        (self.costs[name],) = patch["metadata"]["annotations"].values()

    def _scale(self, _: object, __: str, replicas: dict[str, int]) -> None:
        if replicas["sleep"] == 2:
            self.pods.append(workload("sleep-new", "east"))
            return
        cheap = [one for one in self.pods if self.costs.get(one.name) == "-1"]
        gone = cheap[0] if self.heeds and cheap else self.pods[-1]
        self.pods.remove(gone)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_another_sleep_is_there_before_the_first_goes(world: World) -> None:
    seen: list[tuple[str, list[str]]] = []

    def meanwhile(new: PodWorkload) -> None:
        seen.append((new.name, [one.name for one in world.pods]))
        assert world.costs == {"sleep-old": "-1"}, "known before anybody chooses"

    another_sleep(world.sample, "east", meanwhile)
    assert seen == [("sleep-new", ["sleep-old", "sleep-new"])]
    assert [one.name for one in world.pods] == ["sleep-new"]
    assert world.sample.caller("east").name == "sleep-new"


def test_a_sleep_that_went_in_place_of_the_old_one_is_told(world: World) -> None:
    world.heeds = False
    with pytest.raises(LabError, match="went in place of sleep-old, which still has its old"):
        another_sleep(world.sample, "east", lambda _: None)


def test_all_versions_of_a_cluster_are_restarted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sample, "versions_in", lambda _, name: {"east": ("v1", "v3")}[name])
    restart_helloworld(world.sample, "east")
    assert world.done == ["restart helloworld-v1", "restart helloworld-v3"]


def test_who_ends_gracefully_goes_on_for_a_while() -> None:
    objects = [*helloworld_objects("v1"), *sleep_objects()]
    found = ending_gracefully(objects)
    pods = [one["spec"]["template"]["spec"] for one in found if one["kind"] == "Deployment"]
    assert len(pods) == 2
    for pod in pods:
        wait = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert 0 < wait < pod["terminationGracePeriodSeconds"]
    before = [one["spec"]["template"]["spec"] for one in objects if one["kind"] == "Deployment"]
    assert all("lifecycle" not in pod["containers"][0] for pod in before)
