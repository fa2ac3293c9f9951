"""A mesh's removal says what it removed, and removes nothing when it cannot tell what was there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from meshproof.errors import LabError
from meshproof.events import Event, Recorder
from meshproof.kube import client
from meshproof.mesh import removal
from meshproof.mesh.inventory import Inventory, Thing
from meshproof.mesh.removal import remove_rest, stop_mesh

NODE = Thing("", "Node", "", "mp-0a1b2c3d-east-control-plane")
OLD = Thing("", "ConfigMap", "default", "old", path="/old")


def new(kind: str, name: str) -> Thing:
    return Thing("apps" if kind == "Deployment" else "", kind, "default", name, path=f"/{name}")


class Cluster:
    """Holds things; what is deleted is gone at the next look."""

    foreign = None

    def __init__(self, *things: Thing) -> None:
        self.name, self.api = "east", object()
        self.things = set(things)
        self.asked: list[str] = []

    def inventory(self, *_: object) -> Inventory:
        return Inventory(frozenset(self.things))

    def request(self, _: object, method: str, path: str, **__: object) -> None:
        self.asked.append(f"{method} {path}")
        self.things = {one for one in self.things if one.path != path}


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def cluster(*things: Thing) -> Cluster:
        made = Cluster(*things)
        monkeypatch.setattr(removal, "survey", lambda _: [])
        monkeypatch.setattr(removal, "list_things", made.inventory)
        monkeypatch.setattr(removal, "take_inventory", made.inventory)
        monkeypatch.setattr(removal, "request", made.request)
        return made

    return cluster


@pytest.mark.parametrize("act", [stop_mesh, remove_rest])
def test_what_went_is_counted_and_named(make: Callable[..., Any], act: Any) -> None:
    events: list[Event] = []
    many = [new("Deployment", f"d{number:03}") for number in range(120)]
    cluster = make(NODE, OLD, *many)
    act(cluster, Inventory(frozenset({NODE, OLD})), recorder=Recorder(listeners=[events.append]))
    told = [event.data for event in events if event.kind == "removed"]
    assert [(one["cluster"], one["count"], len(one["what"])) for one in told] == [
        ("east", 120, 100)
    ]
    assert told[0]["what"][0] == "Deployment.apps default/d000"
    assert cluster.things == {NODE, OLD}


@pytest.mark.parametrize("act", [stop_mesh, remove_rest])
@pytest.mark.parametrize(
    ("there", "before"),
    [
        ([NODE, OLD], [Thing("", "Node", "", "mp-deadbeef-east-control-plane"), OLD]),
        ([NODE, OLD], []),
        ([OLD], [NODE]),
        ([OLD], []),
    ],
)
def test_nothing_goes_when_the_inventory_is_not_of_this_cluster(
    make: Callable[..., Any], act: Any, there: list[Thing], before: list[Thing]
) -> None:
    cluster = make(*there, new("Pod", "p"))
    with pytest.raises(LabError, match=r"inventory to go back to|lists no node"):
        act(cluster, Inventory(frozenset(before)), recorder=Recorder())
    assert cluster.asked == []


def test_nothing_is_recorded_when_nothing_went(make: Callable[..., Any]) -> None:
    events: list[Event] = []
    stop_mesh(
        make(NODE), Inventory(frozenset({NODE})), recorder=Recorder(listeners=[events.append])
    )
    assert "removed" not in {event.kind for event in events}


def test_what_a_stopped_controller_holds_is_let_go(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = ("apiextensions.k8s.io", "CustomResourceDefinition", "", "things.example.org")
    held = Thing("example.org", "Thing", "default", "held", path="/held", held=True)
    free = Thing("example.org", "Thing", "default", "free", path="/free")
    others = Thing("", "ConfigMap", "default", "others", path="/others", held=True)
    cluster = make(NODE, OLD, Thing(*definition, path="/definition"), held, free, others)
    let_go: list[str] = []

    def request(_: object, method: str, path: str, *, body: object = None) -> None:
        if method == "PATCH":
            assert body == {"metadata": {"finalizers": None}}
            let_go.append(path)
        if method == "PATCH" or path != held.path:
            cluster.request(None, method, path)

    monkeypatch.setattr(removal, "request", request)
    remove_rest(cluster, Inventory(frozenset({NODE, OLD})), recorder=Recorder())
    assert cluster.things == {NODE, OLD} and let_go == [held.path]


@pytest.mark.parametrize(
    ("status", "stands"), [(404, False), (405, False), (409, False), (403, True)]
)
def test_what_is_gone_already_ends_no_removal(
    monkeypatch: pytest.MonkeyPatch, status: int, stands: bool
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise client.ApiException(status=status)

    monkeypatch.setattr(removal, "request", refused)
    raised = False
    try:
        removal._tolerant(object(), "DELETE", "/apis/example.org/v1/things/a", {})
    except client.ApiException:
        raised = True
    assert raised is stands
