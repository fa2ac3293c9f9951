"""A machine that joins with other files starts when nothing of it is registered any more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.traffic.settle import converge
from meshproof.workloads.sample import Sample
from suites.machines import membership
from suites.machines.membership import joining_with


class Beside:
    """A machine, and what its API server has of it. ``left``: its WorkloadEntries each time they
    are looked for, the last for good."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *left: list[str]) -> None:
        self.left = list(left)
        self.done: list[str] = []
        self.dirty: list[str] = []
        running = SimpleNamespace(script=lambda text: self.done.append(text.split()[-2]))
        self.sample = cast(
            Sample,
            SimpleNamespace(
                machines={"shop": SimpleNamespace(running=running)},
                topology=SimpleNamespace(machine=lambda name: name),
                mesh=SimpleNamespace(mark_dirty=self.dirty.append),
            ),
        )
        for name, stand_in in {
            "files_of": lambda *_: {},
            "place_files": lambda *_: None,
            "entries_there": self._entries,
            "_await_back": lambda *_: self.done.append("back"),
            "converge": lambda look, what: converge(look, what=what, within=0.5),
        }.items():
            monkeypatch.setattr(membership, name, stand_in)

    def _entries(self, *_: Any) -> list[str]:
        found = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        self.done.append(" ".join(found) or "none")
        return found


def test_it_starts_each_time_when_its_entries_of_all_networks_are_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = Beside(monkeypatch, ["shop-near"], [], ["shop-elsewhere"], ["shop-elsewhere"], [])
    with joining_with(one.sample, "shop", {}):
        one.done.append("inside")
    first = ["stop", "shop-near", "none", "start", "inside"]
    assert one.done == [*first, "stop", "shop-elsewhere", "shop-elsewhere", "none", "start", "back"]
    assert one.dirty == []


def test_what_stays_of_it_makes_the_mesh_dirty(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Beside(monkeypatch, [], ["shop-elsewhere"])
    with joining_with(one.sample, "shop", {}):
        pass
    assert one.dirty == ["machine shop has left, but not shop-elsewhere"]
    assert one.done[-2:] == ["start", "back"]
