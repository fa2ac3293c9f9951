"""What a lab remembers of its mesh is of this lab, or the mesh is not removed by it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.errors import LabError
from meshproof.events import Recorder
from meshproof.mesh import keep
from meshproof.mesh.inventory import Inventory, Thing
from meshproof.mesh.keep import find_mesh, keep_mesh, note_before, remove_noted

BEFORE = Inventory(
    frozenset(
        {
            Thing("", "Node", "", "mp-0a1b2c3d-east-control-plane"),
            Thing("", "Namespace", "", "default", frozenset({"label istio-injection=enabled"})),
            Thing("", "Pod", "x", "p", frozenset(), "", ("apps", "Deployment", "x", "d")),
        }
    )
)


@pytest.fixture
def stub(tmp_path: Path) -> Any:
    return SimpleNamespace(
        id="0a1b2c3d",
        clusters={"east": None},
        claim=SimpleNamespace(folder=tmp_path),
        recorder=Recorder(),
    )


@pytest.fixture
def noted(stub: Any, tmp_path: Path) -> Any:
    return SimpleNamespace(
        lab=stub, deployment="d", dirty=None, folder=tmp_path / "mesh", before={"east": BEFORE}
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
        {"folder": []},
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
