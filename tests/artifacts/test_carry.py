"""A store in one file: all of it arrives, and nothing of a file that is broken or another's."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from meshproof.artifacts.carry import load, save
from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.errors import ArtifactError, MeshproofError, UsageError
from meshproof.events import Recorder

from .registry import Registry

PROGRAM, NODE = Recipe("kind", "0.33.0", {"a": 1}), Recipe("node", "1.36.3", {"engine": "podman"})
REFERENCE = "localhost/meshproof/node:0123456789abcdef"


@pytest.fixture
def engine() -> Registry:
    found = Registry()
    found.images = {REFERENCE: "cafe"}
    return found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a program, and an entry that stands for an image."""
    found = Store(tmp_path / "store")

    def program(folder: Path) -> None:
        (folder / "bin").mkdir()
        (folder / "bin" / "kind").write_bytes(b"program" * 1000)
        (folder / "bin" / "kind").chmod(0o755)
        (folder / "notes").write_text("text")

    facts = {"reference": REFERENCE, "image_id": "cafe", "images": {"workload": "w"}}
    found.obtain(PROGRAM, program, Recorder())
    found.obtain(NODE, lambda _: facts, Recorder())
    return found


@pytest.fixture
def file(store: Store, engine: Registry, tmp_path: Path) -> Path:
    saved = tmp_path / "artifacts.zip"
    save(store, engine, saved)
    return saved


def told(error: pytest.ExceptionInfo[MeshproofError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def found(store: Store, recipe: Recipe) -> Entry:
    entry = store.find(recipe)
    assert entry is not None
    return entry


def test_a_store_arrives_whole_with_its_images(file: Path, store: Store, tmp_path: Path) -> None:
    there, elsewhere = Store(tmp_path / "there"), Registry()
    carried = load(there, elsewhere, file, Recorder())
    assert sorted(carried.entries) == ["kind 0.33.0", "node 1.36.3"]
    assert carried.left == ()
    program = found(there, PROGRAM)
    assert program.damaged() == []
    assert program.file("bin/kind").read_bytes() == b"program" * 1000
    assert program.file("bin/kind").stat().st_mode & 0o777 == 0o555
    assert program.file("notes").stat().st_mode & 0o777 == 0o444
    facts = found(there, NODE).manifest["facts"]
    # The engine there has numbered it anew.
    assert facts == {**found(store, NODE).manifest["facts"], "image_id": "recafe"}
    assert elsewhere.images == {REFERENCE: "recafe"}
    assert list((tmp_path / "there" / "tmp").iterdir()) == []


def test_what_is_there_already_stays(file: Path, store: Store, engine: Registry) -> None:
    created = found(store, PROGRAM).manifest["created"]
    load(store, engine, file, Recorder())
    assert found(store, PROGRAM).manifest["created"] == created
    assert engine.images == {REFERENCE: "cafe"}


def test_what_is_damaged_or_lost_is_left_out_and_named(
    store: Store, engine: Registry, tmp_path: Path
) -> None:
    program = found(store, PROGRAM).file("notes")
    program.chmod(0o644)
    program.write_text("other")
    with_image = save(store, engine, tmp_path / "one.zip")
    assert with_image.left == ("kind 0.33.0 (damaged)",)
    engine.images = {}
    with pytest.raises(UsageError, match="holds nothing whole"):
        save(store, engine, tmp_path / "two.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.zip", "store"]


def test_nothing_is_written_over(file: Path, store: Store, engine: Registry) -> None:
    before = file.read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        save(store, engine, file)
    assert file.read_bytes() == before


def test_an_image_of_another_engine_is_left_out(file: Path, tmp_path: Path) -> None:
    elsewhere = Registry()
    elsewhere.name = "docker"
    carried = load(Store(tmp_path / "there"), elsewhere, file, Recorder())
    assert carried.left == ("node 1.36.3 (made for podman)",)
    assert elsewhere.images == {}


def test_an_image_that_the_engine_does_not_take_leaves_no_entry(file: Path, tmp_path: Path) -> None:
    there, elsewhere = Store(tmp_path / "there"), Registry()
    elsewhere.says = "Error: no space left on device"
    with pytest.raises(ArtifactError):
        load(there, elsewhere, file, Recorder())
    assert there.find(NODE) is None
    assert there.unfinished() == []


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9, 0.999])
def test_half_a_file_is_refused(share: float, file: Path, tmp_path: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MeshproofError) as error:
        load(Store(tmp_path / "there"), Registry(), file, Recorder())
    assert "no file of artifacts" in told(error)
    assert not (tmp_path / "there").exists()


def test_a_bit_that_fell_over_is_noticed_wherever_it_is(file: Path, tmp_path: Path) -> None:
    data = file.read_bytes()
    for place in range(40, len(data), 97):
        broken = tmp_path / "broken.zip"
        broken.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        there, engine = Store(tmp_path / "there"), Registry()
        try:
            load(there, engine, broken, Recorder())
        except MeshproofError as error:
            assert "\n" not in str(error)
            assert not (tmp_path / "there").exists()
            continue
        # Dates and the like in the archive's own lists: nothing that is taken out.
        assert found(there, PROGRAM).file("bin/kind").read_bytes() == b"program" * 1000
        assert engine.images == {REFERENCE: "recafe"}
        _remove(tmp_path / "there")


def test_another_archive_is_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "photos.zip"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("../../etc/passwd", "x")
    for content in (foreign.read_bytes(), b"", b"hello" * 1000):
        foreign.write_bytes(content)
        with pytest.raises(UsageError, match="no file of artifacts"):
            load(Store(tmp_path / "there"), Registry(), foreign, Recorder())
    with pytest.raises(UsageError, match="cannot read"):
        load(Store(tmp_path / "there"), Registry(), tmp_path / "nowhere.zip", Recorder())
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize("change", ["inputs", "a file more", "a path outside"])
def test_an_entry_that_is_not_what_it_says_is_refused(
    change: str, file: Path, tmp_path: Path
) -> None:
    """Somebody has changed it, with its sums."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    own = f"objects/{PROGRAM.digest}/manifest.json"
    manifest = json.loads(members[own])
    if change == "inputs":
        manifest["inputs"] = {"a": 2}
    elif change == "a file more":
        members["objects/more"] = b"more"
    else:
        manifest["files"]["../../x"] = manifest["files"]["notes"]
    members[own] = json.dumps(manifest).encode()
    _write(file, members, own)
    with pytest.raises(MeshproofError) as error:
        load(Store(tmp_path / "there"), Registry(), file, Recorder())
    assert "carry it over once more" in told(error)
    assert not (tmp_path / "there").exists()


def _write(file: Path, members: dict[str, bytes], changed: str) -> None:
    import hashlib

    index = json.loads(members["index.json"])
    index["sums"][changed] = hashlib.sha256(members[changed]).hexdigest()
    members["index.json"] = json.dumps(index).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder)
