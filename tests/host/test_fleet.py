"""What a host keeps installed in members: parts that add up, in force one after the other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.artifacts import HostArtifacts
from meshproof.errors import LabError
from meshproof.events import Recorder
from meshproof.host import fleet as module
from meshproof.host import programs
from meshproof.host.content import Content
from meshproof.host.fleet import Fleet
from meshproof.host.host import Host
from meshproof.host.reconciler import Assignment, Readiness, State
from meshproof.host.usual import config_map
from meshproof.lab import Lab

SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}
HELD = frozenset({"Deployment istio-system/istiod"})


class Played:
    """Flux, which says one after the other what is to be said of assignments, the last for good."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.says = [Readiness.READY]
        self._revision, self._token = "", ""

    def follow(self, tenant: str) -> None:
        self.done.append(f"follow {tenant}")

    def fetch(self, tenant: str, revision: str) -> None:
        self._revision = revision

    def assign(self, one: Assignment) -> None:
        self.done.append(f"assign {one}")

    def withdraw(self, one: Assignment) -> None:
        self.done.append(f"withdraw {one}")

    def request(self, one: Assignment) -> str:
        self._token = f"token {len(self.done)}"
        return self._token

    def state(self, one: Assignment) -> State:
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        applied = self._revision if said is Readiness.READY else ""
        return State(said, "R", "no webhook", applied, self._revision, self._token, HELD)


class Stage:
    """A fleet of two members, and what is done by it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.flux, self.pushed = Played(), dict[str, dict[str, str]]()
        self.applied: list[tuple[str, str]] = []
        clusters: dict[str, Any] = {
            one: SimpleNamespace(name=one) for one in ("host", "east", "west")
        }
        lab = cast(Lab, SimpleNamespace(clusters=clusters, recorder=Recorder()))
        monkeypatch.setattr(module, "Flux", lambda *_: self.flux)
        monkeypatch.setattr(programs, "load_images", lambda *_: self.flux.done.append("load"))
        monkeypatch.setattr(programs, "start_programs", lambda *_: self.flux.done.append("start"))
        monkeypatch.setattr(module, "apply", self._apply)
        self.fleet = Fleet(lab, "host", ("east", "west"), cast(HostArtifacts, None))

    def _apply(self, cluster: Any, objects: list[dict[str, Any]]) -> None:
        self.applied += [(cluster.name, one["metadata"]["name"]) for one in objects]

    def introduce(self, tenant: Any, member: str) -> None:
        self.flux.done.append(f"introduce {tenant.name} to {member}")

    def deliver(self, tenant: str, content: Content) -> str:
        self.pushed[tenant] = content.files()
        revision = f"r{len(self.flux.done)}"
        self.flux.fetch(tenant, revision)
        self.fleet._host.revisions[tenant] = revision
        return revision


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage(monkeypatch)
    # As methods of a Host, they are given it first.
    monkeypatch.setattr(Host, "introduce", lambda _, *words: made.introduce(*words))
    monkeypatch.setattr(Host, "deliver", lambda _, *words: made.deliver(*words))
    made.fleet.begin()
    return made


def test_the_host_may_push_everything_to_each_member_alone(stage: Stage) -> None:
    assert stage.flux.done == [
        "load",
        "start",
        "introduce mesh-east to east",
        "introduce mesh-west to west",
    ]
    assert ("host", "mesh-east") in stage.applied and ("east", "mesh-east") in stage.applied
    assert ("west", "mesh-east") not in stage.applied


def test_what_is_pushed_is_added_to_what_the_member_has(stage: Stage) -> None:
    stage.fleet.push("east", [SPACE, config_map("a", "istio-system", {"is": "old"})])
    held = stage.fleet.push("east", manifests={"primary": "kind: Deployment\n"})
    stage.fleet.push("east", [config_map("a", "istio-system", {"is": "new"})])
    files = stage.pushed["mesh-east"]
    assert held == HELD and files["east/primary.yaml"] == "kind: Deployment\n"
    assert "Namespace" in files["east/objects.yaml"]
    assert "is: new" in files["east/objects.yaml"] and "is: old" not in files["east/objects.yaml"]
    assert "primary.yaml" in files["east/kustomization.yaml"]
    assert "mesh-west" not in stage.pushed


def test_what_fails_is_tried_again_and_told_in_the_end(stage: Stage) -> None:
    stage.flux.says = [Readiness.FAILED, Readiness.READY]
    assert stage.fleet.push("east", [SPACE]) == HELD
    stage.flux.says = [Readiness.FAILED]
    with pytest.raises(LabError, match=r"mesh-east/east is not in force in east: failed .*webhook"):
        stage.fleet.push("east", [SPACE])


def test_what_another_run_has_pushed_is_not_replaced(stage: Stage) -> None:
    stage.fleet.withdraw("east")
    assert stage.flux.done[-1] == "withdraw mesh-east/east"
    with pytest.raises(LabError, match="pushed to east is not known to this run"):
        stage.fleet.push("east", [SPACE])
