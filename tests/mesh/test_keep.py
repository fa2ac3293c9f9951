"""What a lab remembers of its mesh is of this lab, or the mesh is not removed by it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from meshproof.errors import LabError
from meshproof.events import Recorder
from meshproof.mesh import keep
from meshproof.mesh.inventory import Inventory, Thing
from meshproof.mesh.keep import find_mesh, keep_mesh, note_before, remove_noted
from meshproof.mesh.mesh import Mesh
from meshproof.model import Deployment, Flow, Wiring

BEFORE = Inventory(
    frozenset(
        {
            Thing("", "Node", "", "mp-0a1b2c3d-east-control-plane"),
            Thing("", "Namespace", "", "default", frozenset({"label istio-injection=enabled"})),
            Thing("", "Pod", "x", "p", frozenset(), "", ("apps", "Deployment", "x", "d")),
        }
    )
)


WIRING = Wiring(
    "mine",
    {("east", "west"): frozenset({Flow.API, Flow.GATEWAY}), ("west", "east"): frozenset()},
    (15443, 16443),
)


class Told(str):
    """A deployment of which nothing is told but its name, and which Istio it has."""

    istio: ClassVar = {"east": "1.31.1"}
    topology: ClassVar = SimpleNamespace(wiring=lambda footprint: WIRING)


@pytest.fixture
def stub(tmp_path: Path) -> Any:
    return SimpleNamespace(
        id="0a1b2c3d",
        clusters={"east": None},
        footprint=None,
        claim=SimpleNamespace(id="0a1b2c3d", folder=tmp_path),
        recorder=Recorder(),
    )


@pytest.fixture
def noted(stub: Any, tmp_path: Path) -> Any:
    return SimpleNamespace(
        lab=stub,
        deployment=Told("d"),
        bundle=SimpleNamespace(istioctl={"1.31.1": Path("istioctl")}),
        dirty=None,
        spoilt=None,
        installed=None,
        folder=tmp_path / "mesh",
        before={"east": BEFORE},
    )


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Inventory]]:
    done: list[dict[str, Inventory]] = []
    monkeypatch.setattr(keep, "remove_mesh", lambda _, before, __: done.append(before))
    return done


def test_what_was_noted_is_gone_back_to_once(
    stub: Any, noted: Any, removed: list[dict[str, Inventory]]
) -> None:
    assert not remove_noted(stub)
    for note in (note_before, keep_mesh):
        note(noted)
        assert remove_noted(stub)
        assert not remove_noted(stub)
    assert removed == [{"east": BEFORE}] * 2
    assert list(stub.claim.folder.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"lab": "deadbeef"},
        {"lab": None},
        {"before": {}},
        {"before": {"west": []}},
        {"before": []},
        {"before": {"east": [["", "Node"]]}},
        {"before": {"east": [["", "Node", "", "n", "marks", None]]}},
        {"before": {"east": "all"}},
        {"dirty": 1},
        {"name": 1},
        {"installed": {"east": {"Secret x/y": 1}}},
        {"folder": []},
        {"wired": {}},
        {"wired": {"name": "mine", "flows": [["east", "west", ["x"]]], "gateway_ports": []}},
    ],
)
def test_what_is_of_another_lab_or_shape_removes_nothing(
    stub: Any, noted: Any, removed: list[dict[str, Inventory]], change: dict[str, Any]
) -> None:
    keep_mesh(noted)
    path = stub.claim.folder / "mesh.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    for act in (lambda: remove_noted(stub), lambda: find_mesh(stub, noted.deployment, noted)):
        with pytest.raises(LabError, match=r"mesh\.json") as told:
            act()
        assert "meshproof down 0a1b2c3d" in told.value.remedy
        assert told.value.exit_code == 2
    assert removed == []
    assert path.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 99_999])
def test_what_cannot_be_read_is_said_and_removes_nothing(
    stub: Any, removed: list[dict[str, Inventory]], content: bytes
) -> None:
    (stub.claim.folder / "mesh.json").write_bytes(content)
    with pytest.raises(LabError, match=r"mesh\.json"):
        remove_noted(stub)
    assert removed == []


def test_how_clusters_are_wired_is_noted_whatever_becomes_of_their_topology_s_file(
    stub: Any, noted: Any
) -> None:
    for note in (note_before, keep_mesh):
        note(noted)
        found = keep.read_noted(stub)
        assert found is not None and found.wired is not None
        assert found.wired.wiring() == WIRING


def test_whose_run_did_not_end_is_noted_with_what_it_is_of(stub: Any, noted: Any) -> None:
    note_before(noted)
    found = keep.read_noted(stub)
    assert found is not None and found.is_of(noted.deployment)
    assert found.dirty == "its installation did not come to an end"
    assert find_mesh(stub, noted.deployment, noted) is None


def test_what_damaged_a_mesh_is_noted_whether_it_was_used_all_the_same_or_not(
    stub: Any, noted: Any
) -> None:
    for changes in ({"dirty": "a gateway is gone"}, {"spoilt": "a gateway is gone"}):
        keep_mesh(cast(Mesh, SimpleNamespace(**{**vars(noted), **changes})))
        found = keep.read_noted(stub)
        assert found is not None and found.dirty == "a gateway is gone"


def test_a_note_of_an_older_meshproof_is_read(stub: Any, noted: Any) -> None:
    keep_mesh(noted)
    path = stub.claim.folder / "mesh.json"
    older = json.loads(path.read_text())
    del older["name"], older["installed"], older["wired"]
    path.write_text(json.dumps(older))
    found = keep.read_noted(stub)
    assert found is not None
    assert (found.name, found.installed, found.is_of(noted.deployment)) == ("", None, True)
    assert found.wired is None
    assert "lab 0a1b2c3d holds a mesh of which nobody noted what it is, and e is asked for" in str(
        found.refusal(["e"])
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["e"], "lab 0a1b2c3d holds d, and e is asked for: "),
        (["e", "f"], "lab 0a1b2c3d holds d, and e, f is asked for: "),
        (["d"], "lab 0a1b2c3d holds d of another description, and d is asked for: "),
    ],
)
def test_a_mesh_of_another_deployment_is_refused_by_naming_both(
    stub: Any, noted: Any, asked: list[str], said: str
) -> None:
    keep_mesh(noted)
    found = keep.read_noted(stub)
    assert found is not None and not found.is_of(cast(Deployment, "e"))
    told = str(found.refusal(asked))
    assert told == f"{said}ask for the one that is there, or add --repair, by which it is removed."
    assert found.refusal(asked).exit_code == 64


def test_what_is_there_now_is_compared_with_what_was_installed(
    stub: Any, noted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = {"Secret x/kept": {"data": "1"}, "Secret x/changed": {"data": "1"}}
    monkeypatch.setattr(keep, "take_contents", lambda cluster, before: dict(now))
    stub.clusters = {"east": SimpleNamespace(name="east")}
    keep.note_installed(noted)
    keep_mesh(noted)
    found = keep.read_noted(stub)
    assert found is not None and keep.changed_since_installed(stub, found) == []
    now.pop("Secret x/kept")
    now["Secret x/changed"] = {"data": "2"}
    assert list(map(str, keep.changed_since_installed(stub, found))) == [
        "Secret x/changed in east has data 2, not 1",
        "Secret x/kept in east is gone",
    ]
