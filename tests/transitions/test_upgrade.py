"""A mesh on its way: in which order steps are taken, looked at and told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import EvidenceError, LabError
from meshproof.events import Event, Recorder
from meshproof.expect import Outcome, Verdict
from meshproof.files import topology_named
from meshproof.mesh.mesh import Settling
from meshproof.mesh.upgrade import Upgrading
from meshproof.model import (
    REVISION,
    Deployment,
    Stage,
    Step,
    Strategy,
    Upgrade,
    Version,
    revision_of,
)
from meshproof.schema import is_as_recorded
from meshproof.transitions import upgrade as module
from meshproof.transitions.upgrade import pass_through
from meshproof.workloads.sample import Sample
from tests.doubles.streams import history

OLD, NEW = Version(1, 31, 0), Version(1, 31, 1)
PASS = Verdict(Outcome.PASS, "this", "that")


class World:
    """Notes what is done with a mesh, in order. ``fails``: the step that does not come about;
    ``missing``: what the mesh lacks to be at rest."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        upgrade: Upgrade | None,
        name: str = "multi-primary-flat",
    ) -> None:
        self.done: list[str] = []
        self.events: list[Event] = []
        self.fails = self.missing = ""
        self.stream = SimpleNamespace(
            flow_for=lambda _: None, mark=self._mark, history=None, hand_over=self._hand_over
        )
        topology = topology_named(name)
        canary = upgrade is not None and upgrade.strategy is Strategy.CANARY
        self.deployment = Deployment(
            topology,
            dict.fromkeys(topology.names, OLD),
            Version(1, 36, 3),
            variants=frozenset({REVISION} if canary else ()),
            revision=revision_of(OLD) if canary else "",
            upgrade=upgrade,
        )
        lab = SimpleNamespace(recorder=Recorder(listeners=[self.events.append]))
        self.mesh = SimpleNamespace(
            ways_to=lambda home: {home: home},
            deployment=self.deployment,
            lab=lab,
            spoilt=None,
            cluster=lambda name: name,
        )
        self.sample = Sample(cast(Any, self.mesh))
        for name, value in (
            ("streaming", self._streaming),
            ("settle", self._settle),
            ("restart_helloworld", lambda _, name: self.done.append(f"restart in {name}")),
            ("another_sleep", lambda _, name, do: do(SimpleNamespace(name=f"new in {name}"))),
            ("renew_machines", lambda _, *told: self.done.append(" ".join(map(str, told)))),
            ("apply", lambda name, objects: self.done.append(f"{objects[0]['metadata']} {name}")),
        ):
            monkeypatch.setattr(module, name, value)
        monkeypatch.setattr(Upgrading, "take", lambda _, step, before: self._take(step))

    def look(self, sample: Sample, stage: Stage) -> dict[str, Verdict]:
        assert sample is self.sample
        self.done.append(f"look at {stage.number}")
        return {"x": PASS}

    def _take(self, step: Step) -> None:
        self.done.append(str(step))
        if str(step) == self.fails:
            raise LabError("Istio was not installed: it says no")

    def _settle(self, *_: object) -> Settling:
        self.done.append("settle")
        return Settling(0.1, self.missing)

    def _hand_over(self, name: str, new: Any) -> None:
        self.done.append(f"{new.name} calls for {name}")

    @contextmanager
    def _mark(self, what: str) -> Iterator[None]:
        yield

    @contextmanager
    def _streaming(self, *_: object, **__: object) -> Iterator[Any]:
        yield self.stream
        self.stream.history = history(seconds=20)

    def told(self) -> dict[str, Any]:
        (event,) = [one for one in self.events if one.kind == "transition"]
        assert is_as_recorded("transition", event.data)
        return dict(event.data)


def test_each_step_is_taken_then_the_mesh_is_at_rest_then_it_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, Upgrade(NEW))
    found = pass_through(world.sample, world.look)
    assert world.done == [
        *("settle", "look at 0"),
        *("control plane of east: 1.31.1", "settle", "look at 1"),
        *("restart in east", "new in east calls for east", "settle", "look at 2"),
        *("control plane of west: 1.31.1", "settle", "look at 3"),
        *("restart in west", "new in west calls for west", "settle", "look at 4"),
    ]
    assert [one.stage.number for one in found.stages] == [0, 1, 2, 3, 4]
    assert found.trouble == "" and found.verdict(4, "x") is PASS
    assert all(one.begin <= one.done <= one.rest <= one.end for one in found.stages)
    told = world.told()
    assert (told["from"], told["to"], told["planned"]) == ("1.31.0", "1.31.1", 5)
    assert [one["name"] for one in told["stages"]][:2] == [
        "as installed",
        "control plane of east: 1.31.1",
    ]
    assert world.mesh.spoilt is not None, "another run must not take it for what it was"
    steps = [one.data["step"] for one in world.events if one.kind == "step-begin"]
    assert steps[0] == "control plane of east: 1.31.1" and len(steps) == 4


def test_a_namespace_asks_for_the_tag_once_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Upgrade(NEW, Strategy.CANARY))
    pass_through(world.sample, world.look)
    tagged = world.done.index("tag of east: 1.31.0")
    labels = "{'name': 'sample', 'labels': {'istio.io/rev': 'stable'}} east"
    assert world.done[tagged + 1] == labels


@pytest.mark.parametrize(
    ("strategy", "revision"), [(Strategy.IN_PLACE, ""), (Strategy.CANARY, " 1-31-1")]
)
def test_machines_get_a_package_of_their_own_and_the_way_to_a_new_revision(
    monkeypatch: pytest.MonkeyPatch, strategy: Strategy, revision: str
) -> None:
    world = World(monkeypatch, Upgrade(NEW, strategy), "vm-expansion")
    pass_through(world.sample, world.look)
    renewed = [one.rstrip() for one in world.done if "1.31.1" in one and " of " not in one]
    assert [one for one in renewed if one.startswith(("east ", "west "))] == [
        f"east 1.31.1{revision}",
        f"west 1.31.1{revision}",
    ]


def test_a_step_that_fails_ends_the_way_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Upgrade(NEW))
    world.fails = "control plane of west: 1.31.1"
    found = pass_through(world.sample, world.look)
    assert world.done[-1] == world.fails
    assert [one.stage.number for one in found.stages] == [0, 1, 2, 3]
    assert "it says no" in found.trouble
    assert found.at(4) is None and found.verdict(4, "x").outcome is Outcome.INCONCLUSIVE
    told = world.told()
    assert (told["planned"], len(told["stages"])) == (5, 4)
    assert "it says no" in told["stages"][-1]["trouble"]


def test_a_mesh_that_does_not_come_to_rest_is_looked_at_and_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, Upgrade(NEW))
    world.missing = "east does not reach v2"
    found = pass_through(world.sample, world.look)
    assert {one.missing for one in found.stages} == {world.missing}
    assert found.trouble == "" and found.verdict(4, "x") is PASS


def test_what_is_on_no_way_is_not_taken_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, None)
    with pytest.raises(EvidenceError, match="is not on the way to another Istio"):
        pass_through(world.sample, world.look)
    assert world.done == [] and world.mesh.spoilt is None
