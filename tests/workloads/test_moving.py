"""A version comes up in another cluster, and ends in its own, each time as it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import LabError, WaitTimeoutError
from meshproof.workloads import moving as module
from meshproof.workloads.moving import also_in, ended, ends_gracefully
from meshproof.workloads.sample import Sample


class World:
    """A version in east that could move to west. ``done``: what was done, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.refused = False
        mesh = SimpleNamespace(cluster=str, shell=None, mark_dirty=self.done.append)
        self.sample = Sample(cast(Any, mesh))
        monkeypatch.setattr(Sample, "versions", {"v1": "east", "v2": "west"})
        replaced: dict[str, Any] = {
            "change_template": self._change,
            "await_rollout": lambda *_: None,
            "await_end_of": lambda cluster, _, name, pods: self.done.append(
                f"{', '.join(pods)} of {name} ended in {cluster}"
            ),
            "await_no_pods": self._await_none,
            "pods_of": lambda *_: {"old"},
            "usual": lambda *_: 2,
            "scaled": self._scaled,
            "also_deployed": self._deployed,
        }
        for name, value in replaced.items():
            monkeypatch.setattr(module, name, value)

    def _change(self, cluster: str, _: str, name: str, template: Mapping[str, Any]) -> None:
        if self.refused:
            raise LabError("refused")
        pod = template["spec"]
        (container,) = pod["containers"]
        hook = container["lifecycle"]
        told = hook and hook["preStop"]["sleep"]["seconds"]
        grace = pod["terminationGracePeriodSeconds"]
        self.done.append(f"{name} of {cluster}: {told} of {grace}")

    def _await_none(self, cluster: str, _: str, labels: str) -> None:
        if self.refused:
            raise WaitTimeoutError("still there")
        self.done.append(f"no {labels} in {cluster}")

    @contextmanager
    def _scaled(self, _: object, version: str, replicas: int) -> Any:
        self.done.append(f"{version} has {replicas}")
        yield
        self.done.append(f"{version} is back")

    @contextmanager
    def _deployed(self, _: object, cluster: str, objects: list[Any]) -> Any:
        self.done += [f"{one['kind']} {one['spec']['replicas']} in {cluster}" for one in objects]
        yield
        self.done.append("deleted")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_pods_go_on_for_a_while_inside_the_block_alone(world: World) -> None:
    with ends_gracefully(world.sample, "v1"):
        world.done.append("inside")
    ending = "old of helloworld-v1 ended in east"
    assert world.done == [
        "helloworld-v1 of east: 15 of 30",
        ending,
        "inside",
        "helloworld-v1 of east: None of 0",
        ending,
    ]


def test_a_mesh_whose_pods_go_on_for_good_is_marked(world: World) -> None:
    with pytest.raises(LabError), ends_gracefully(world.sample, "v1"):
        world.refused = True
    assert world.done[-1] == "the pods of v1 do not end as they did before"


def test_it_comes_up_elsewhere_and_nothing_of_it_stays(world: World) -> None:
    with also_in(world.sample, "v1", "west"):
        world.done.append("inside")
    assert world.done == [
        "Deployment 2 in west",
        "inside",
        "deleted",
        "no app=helloworld,version=v1 in west",
    ]


def test_a_mesh_in_which_pods_are_left_elsewhere_is_marked(world: World) -> None:
    with pytest.raises(WaitTimeoutError), also_in(world.sample, "v1", "west"):
        world.refused = True
    assert world.done[-1] == "pods of v1 are left in west"


def test_it_has_ended_before_the_block_begins(world: World) -> None:
    with ended(world.sample, "v1"):
        world.done.append("inside")
    assert world.done == [
        "v1 has 0",
        "old of helloworld-v1 ended in east",
        "inside",
        "v1 is back",
    ]
