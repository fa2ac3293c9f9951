"""What was made before folders were marked is marked, where its content proves whose it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshproof.artifacts import mark_older_store
from meshproof.artifacts.store import Recipe
from meshproof.errors import LabError
from meshproof.lab.older import mark_older_state
from meshproof.owned import STATE, STORE, is_owned

RECIPE = Recipe("thing", "1", {"a": 1})


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, variable in (("store", "MESHPROOF_STORE"), ("state", "MESHPROOF_STATE")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    return tmp_path


def entry(store: Path, digest: str, **changed: object) -> None:
    folder = store / "objects" / digest
    folder.mkdir(parents=True)
    made_of = {"recipe": RECIPE.name, "version": RECIPE.version, "inputs": dict(RECIPE.inputs)}
    manifest = {**made_of, "files": {}, "facts": {}, "seconds": 1.0, "created": 1.0, **changed}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_store_whose_entry_is_what_its_name_says_is_marked(folders: Path) -> None:
    entry(folders / "store", RECIPE.digest)
    (folders / "store" / "tmp").mkdir()
    mark_older_store()
    assert is_owned(folders / "store", STORE)


@pytest.mark.parametrize(
    ("digest", "inputs", "beside"),
    [
        ("0" * 64, {"a": 1}, None),
        (RECIPE.digest, {"a": 2}, None),
        (RECIPE.digest, {"a": 1}, "holiday.jpg"),
        (RECIPE.digest, "inputs", None),
    ],
)
def test_what_does_not_prove_it_is_left_alone(
    folders: Path, digest: str, inputs: object, beside: str | None
) -> None:
    entry(folders / "store", digest, inputs=inputs)
    if beside is not None:
        (folders / "store" / beside).write_text("")
    mark_older_store()
    assert not is_owned(folders / "store", STORE)


def test_folders_of_the_right_names_prove_nothing(folders: Path) -> None:
    (folders / "store" / "tmp" / "mine").mkdir(parents=True)
    mark_older_store()
    assert not is_owned(folders / "store", STORE)


def test_a_state_folder_of_leases_and_labs_is_marked(folders: Path) -> None:
    state = folders / "state"
    (state / "labs" / "0a1b2c3d").mkdir(parents=True)
    (state / "labs" / "0a1b2c3d.lock").write_text("")
    (state / "subnets.json").write_text('{"172.30.0.0/24": "0a1b2c3d"}')
    mark_older_state()
    assert is_owned(state, STATE)
    assert not (state / "labs" / "0a1b2c3d" / ".meshproof").exists()


@pytest.mark.parametrize("path", ["notes", "labs/thesis", "labs/0a1b2c3d.txt"])
def test_a_state_folder_with_anything_else_is_left_alone(folders: Path, path: str) -> None:
    state = folders / "state"
    (state / "subnets.json").write_text("{}")
    (state / path).parent.mkdir(exist_ok=True)
    (state / path).write_text("")
    mark_older_state()
    assert not is_owned(state, STATE)


def test_leases_that_are_none_prove_nothing(folders: Path) -> None:
    (folders / "state" / "subnets.json").write_text("[]")
    with pytest.raises(LabError):
        mark_older_state()
    assert not is_owned(folders / "state", STATE)


def test_a_state_folder_without_leases_is_left_alone(folders: Path) -> None:
    (folders / "state" / "labs").mkdir()
    mark_older_state()
    assert not is_owned(folders / "state", STATE)
