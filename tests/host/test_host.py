"""A host at work: what it is told in which order, and what it waits for."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import WaitTimeoutError
from meshproof.events import Recorder
from meshproof.host import registry
from meshproof.host.content import Content, Overlay
from meshproof.host.host import Host
from meshproof.host.reconciler import Assignment, Readiness, State
from meshproof.host.tenants import Tenant
from meshproof.host.usual import config_map
from meshproof.kube import RunningCluster

ONE = Assignment("shop", "east")
OLD = Content([config_map("a", "shop", {"is": "old"})], {"east": Overlay()})
NEW = Content([config_map("a", "shop", {"is": "new"})], {"east": Overlay()})


class Played:
    """A reconciler that is done when it was looked at ``slow`` times after a request."""

    def __init__(self, slow: int = 2) -> None:
        self.done: list[str] = []
        self.slow = slow
        self.outcome = Readiness.READY
        self.revision, self.holds = "", frozenset({"ConfigMap shop/a"})
        self._asked, self._looks = "", 0

    def follow(self, tenant: str) -> None:
        self.done.append(f"follow {tenant}")

    def forget(self, tenant: str) -> None:
        self.done.append(f"forget {tenant}")

    def fetch(self, tenant: str, revision: str) -> None:
        self.done.append(f"fetch {tenant}")
        self.revision = revision

    def assign(self, one: Assignment) -> None:
        self.done.append(f"assign {one}")

    def withdraw(self, one: Assignment) -> None:
        self.done.append(f"withdraw {one}")

    def release(self, one: Assignment) -> None:
        self.done.append(f"release {one}")

    def request(self, one: Assignment) -> str:
        self.done.append(f"request {one}")
        self._asked, self._looks = f"token {len(self.done)}", 0
        return self._asked

    def state(self, one: Assignment) -> State:
        self._looks += 1
        handled = self._asked if self._looks >= self.slow else "another"
        applied = self.revision if self.outcome is Readiness.READY else "old"
        return State(self.outcome, "R", "said", applied, self.revision, handled, self.holds)


def host(played: Played, monkeypatch: pytest.MonkeyPatch) -> Host:
    def push(_: object, name: str, packed: bytes) -> str:
        played.done.append(f"push {name}")
        return f"revision {hash(packed)}"

    monkeypatch.setattr(registry, "push", push)
    cluster = cast(RunningCluster, SimpleNamespace(name="host"))
    tenants = {"shop": Tenant("shop", ("east",))}
    east = cast(RunningCluster, SimpleNamespace(name="east"))
    made = Host(cluster, {"east": east}, tenants, played, Recorder())
    made.deliver("shop", OLD)
    played.done.clear()
    return made


def test_what_is_pushed_is_fetched_and_made_good_and_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played = Played()
    made = host(played, monkeypatch)
    own = made.revisions["shop"]
    with made.pushed("shop", NEW) as states:
        assert states[ONE].readiness is Readiness.READY and made.contents["shop"] is NEW
        assert states[ONE].applied == made.revisions["shop"] != own
    once = ["push shop", "follow shop", "fetch shop", "request shop/east"]
    assert played.done == [*once, *once]
    assert made.contents["shop"] is OLD and made.revisions["shop"] == own


def test_what_fails_is_told_and_what_does_not_come_back_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played = Played()
    made = host(played, monkeypatch)
    played.outcome = Readiness.FAILED
    with (
        pytest.raises(WaitTimeoutError, match="shop/east is not in force in east: failed"),
        made.pushed("shop", NEW) as states,
    ):
        assert states[ONE].readiness is Readiness.FAILED


def test_what_is_not_decided_in_time_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(slow=10**6)
    made = host(played, monkeypatch)
    told = made.make_good([ONE], within=0.3)
    assert told[ONE].handled == "another"


def test_an_outcome_of_another_revision_is_not_taken_for_this_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played = Played()
    made = host(played, monkeypatch)
    played.revision = "of before"
    assert made.make_good([ONE], within=0.3)[ONE].attempted == "of before"
    with pytest.raises(WaitTimeoutError, match="not in force"):
        made.require(made.make_good([ONE], within=0.3))


def test_an_assignment_that_holds_nothing_is_ended_without_its_credential(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played = Played()
    made = host(played, monkeypatch)
    other = replace(ONE, name="further")
    with made.assigned(other) as state:
        assert state.readiness is Readiness.READY
    assert played.done == ["assign shop/further", "request shop/further", "withdraw shop/further"]
    played.done.clear()
    played.holds = frozenset()
    with made.assigned(other):
        pass
    assert played.done[-1] == "release shop/further"


def test_assignments_are_those_of_each_tenants_members(monkeypatch: pytest.MonkeyPatch) -> None:
    made = host(Played(), monkeypatch)
    assert made.assignments() == [ONE] and made.assignments("shop") == [ONE]
    with pytest.raises(KeyError):
        made.assignments("nobody")


def test_the_member_is_asked_for_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    made = host(Played(), monkeypatch)
    asked: list[Any] = []
    monkeypatch.setattr("meshproof.host.host.read", lambda *told: asked.append(told))
    assert made.look("east", OLD.base[0]) is None
    assert asked == [(made.members["east"], OLD.base[0])]
