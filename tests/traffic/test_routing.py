"""Rules in force: what is missing in the proxies is told, and what stays marks the mesh."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import EvidenceError
from meshproof.kube.objects import Object
from meshproof.mesh import configuration
from meshproof.mesh.config_dump import CLUSTERS
from meshproof.mesh.routes import destination_rule
from meshproof.traffic import routing
from meshproof.traffic.routing import in_force
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import HOST, Sample

RULE = destination_rule(HOST, ())


class _Topology:
    """One cluster on one network, without a gateway."""

    config_clusters = ("east",)
    eastwest_gateways = ()

    def configured_by(self, name: str) -> str:
        return name

    def __getitem__(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(name=name)


class _Mesh:
    """One cluster, whose sleep's proxy uses what has been applied, if ``obeys``; ``forgets``: and
    no longer uses what has been deleted."""

    def __init__(self, *, obeys: bool = True, forgets: bool = True) -> None:
        self.obeys, self.forgets = obeys, forgets
        self.used = ""
        self.dirty: list[str] = []
        self.unmet: list[str] = []
        self.deployment = SimpleNamespace(topology=_Topology())
        self.shell = SimpleNamespace(cancel=lambda: None)

    def cluster(self, name: str) -> str:
        return name

    def mark_dirty(self, reason: str) -> None:
        self.dirty.append(reason)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for any longer than for a look."""

    def once(look: Any, **options: Any) -> bool:
        return converge(look, **{**options, "within": 0.0})

    monkeypatch.setattr(routing, "converge", once)


def _sample(mesh: _Mesh, monkeypatch: pytest.MonkeyPatch) -> Sample:
    @contextmanager
    def applied(_: object, objects: Sequence[Object]) -> Iterator[None]:
        names = " ".join(f"/destination-rule/{one['metadata']['name']}" for one in objects)
        mesh.used = names if mesh.obeys else ""
        yield
        mesh.used = "" if mesh.forgets else mesh.used

    monkeypatch.setattr(configuration, "applied", applied)
    monkeypatch.setattr(routing, "in_use", lambda _, part: mesh.used if part == CLUSTERS else "")
    return cast(
        Sample, SimpleNamespace(mesh=mesh, clusters=("east",), caller=lambda _: "sleep of east")
    )


def test_nothing_is_missing_where_the_proxies_obey(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = _Mesh()
    with in_force(_sample(mesh, monkeypatch), [RULE]) as missing:
        assert not missing
    assert not mesh.dirty


def test_what_has_not_come_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = _Mesh(obeys=False)
    name = RULE["metadata"]["name"]
    with in_force(_sample(mesh, monkeypatch), [RULE]) as missing:
        assert missing == (f"/destination-rule/{name} of sleep of east",)
    assert not mesh.dirty


def test_what_does_not_go_marks_the_mesh(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = _Mesh(forgets=False)
    with in_force(_sample(mesh, monkeypatch), [RULE]):
        pass
    assert len(mesh.dirty) == 1
    assert RULE["metadata"]["name"] in mesh.dirty[0]


def test_a_proxy_that_cannot_be_asked_has_neither_got_nor_lost_a_rule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mesh = _Mesh()
    sample = _sample(mesh, monkeypatch)

    def silent(*_: object) -> str:
        raise EvidenceError("the proxy did not answer")

    monkeypatch.setattr(routing, "in_use", silent)
    with in_force(sample, [RULE]) as missing:
        assert missing
    assert mesh.dirty
