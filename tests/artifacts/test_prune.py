"""What goes out of a store is ours, is named, and is not in use; all else is not touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from meshproof.artifacts.bake import remove_abandoned
from meshproof.artifacts.manage import Row, listing, prunable, prune, remove_rows
from meshproof.artifacts.store import Recipe, Store
from meshproof.errors import MeshproofError
from meshproof.events import Recorder
from meshproof.owned import MARK, NotOursError
from tests.artifacts.stored import DIGEST, RECIPE, fill, keep_none
from tests.lab.fakes import FakeEngine

OTHER = Recipe("other", "2", {})


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def keep_all(_: Row) -> bool:
    return True


@contextmanager
def building(root: Path, recipe: Recipe) -> Iterator[None]:
    """Another process makes a recipe inside the block."""
    code = (
        "import sys; from pathlib import Path; from meshproof.artifacts.store import *\n"
        "def make(folder):\n  print('making', flush=True); sys.stdin.read()\n"
        f"Store(Path({str(root)!r})).obtain("
        f"Recipe({recipe.name!r}, {recipe.version!r}, {dict(recipe.inputs)!r}), make, Recorder())"
    )
    maker = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert maker.stdout is not None
    assert maker.stdout.readline() == b"making\n"
    try:
        yield
    finally:
        maker.communicate(b"")


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder that looks like a store, and is somebody else's."""
    root = tmp_path / "foreign"
    for name in (f"tmp/{DIGEST}", "tmp/mine", f"objects/{DIGEST}", "go-build", "debs"):
        (root / name).mkdir(parents=True)
        (root / name / "letter").touch()
    return root


def _write_manifest(root: Path) -> None:
    manifest = {"recipe": "x", "version": "1", "files": {}, "facts": {}, "created": 1.0}
    (root / "objects" / DIGEST / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "act",
    [
        fill,
        lambda store: store.scratch("debs"),
        lambda store: store.unless_busy(DIGEST).__enter__(),
        lambda store: store.remove(store.entries()[0]),
        lambda store: store.remove_broken(DIGEST),
        lambda store: store.remove_unfinished(DIGEST),
        lambda store: store.remove_cache("go-build"),
        lambda store: prunable(store, FakeEngine(), keep_none),
        lambda store: prune(store, FakeEngine(), keep_none),
        lambda store: remove_rows(store, FakeEngine(), listing(store, FakeEngine())),
        lambda store: remove_abandoned(store, FakeEngine()),
    ],
)
def test_a_folder_that_is_not_marked_is_refused_and_left_as_it_is(
    foreign: Path, act: Callable[[Store], object]
) -> None:
    _write_manifest(foreign)
    before = names_in(foreign)
    with pytest.raises(NotOursError, match="is not marked as a store of meshproof's") as refused:
        act(Store(foreign))
    assert refused.value.exit_code == 64
    assert names_in(foreign) == before


def test_a_store_that_does_not_exist_is_empty_and_stays_so(store: Store) -> None:
    assert store.entries() == []
    assert store.broken() == store.unfinished() == []
    assert store.find(RECIPE) is None
    assert listing(store, FakeEngine()) == []
    assert prune(store, FakeEngine(), keep_none) == []
    assert remove_abandoned(store, FakeEngine()) == []
    assert store.is_idle
    assert not store.is_busy(DIGEST)
    assert not store.root.exists()


def test_what_goes_is_what_was_listed_and_is_recorded(store: Store) -> None:
    fill(store)
    fill(store, OTHER)
    (store.scratch("go-build") / "package").write_text("compiled")
    engine = FakeEngine()
    listed = prunable(store, engine, lambda row: row.name == "other")
    assert [(str(row), row.source) for row in listed] == [
        ("Go's compile cache", "cache"),
        ("thing 1", "built"),
    ]
    assert store.find(RECIPE) is not None
    gone = remove_rows(store, engine, listed)
    assert gone == listed
    assert sum(row.size for row in gone) == 13
    assert engine.removed() == [
        "Go's compile cache (go-build)",
        f"thing 1 ({RECIPE.digest[:16]})",
    ]
    assert [str(row) for row in listing(store, engine)] == ["other 2"]
    assert prune(store, engine, keep_all) == []


def test_only_what_is_named_by_a_digest_goes(store: Store) -> None:
    fill(store)
    keep = ["tmp/mine", "objects/mine", f"tmp/{DIGEST}0", f"objects/{DIGEST.upper()}", "photos"]
    for name in (*keep, f"tmp/{DIGEST}"):
        (store.root / name).mkdir(parents=True)
        (store.root / name / "letter").touch()
    engine = FakeEngine()
    gone = prune(store, engine, keep_none)
    assert [(row.source, row.digest) for row in gone] == [
        ("built", RECIPE.digest),
        ("unfinished", DIGEST),
    ]
    for name in keep:
        assert (store.root / name / "letter").exists()
    assert not (store.root / "tmp" / DIGEST).exists()


BROKEN: list[Any] = [
    *(None, [], "text", 1, {}, {"recipe": "x"}),
    {"recipe": "x", "version": "1", "files": {}, "facts": {}, "created": "now"},
    {"recipe": "x", "version": "1", "files": {}, "facts": {}, "created": 1e300},
    {"recipe": "x", "version": "1", "files": {}, "facts": {}, "created": -1.0},
    {"recipe": "x", "version": 1, "files": {}, "facts": {}, "created": 1.0},
    {"recipe": "x", "version": "1", "files": ["a"], "facts": {}, "created": 1.0},
    {"recipe": "x", "version": "1", "files": {"a": {}}, "facts": {}, "created": 1.0},
    {"recipe": "x", "version": "1", "files": {}, "facts": {"reference": 1}, "created": 1.0},
    {
        "recipe": "x",
        "version": "1",
        "files": {"../../x": {"size": 1, "sha256": ""}},
        "facts": {},
        "created": 1.0,
    },
]


@pytest.mark.parametrize("content", [*map(json.dumps, BROKEN), "{", "[" * 9999, b"\xff\xfe", ""])
def test_an_entry_with_a_broken_manifest_is_absent_and_pruned(
    store: Store, content: str | bytes
) -> None:
    manifest = fill(store).file("manifest.json")
    manifest.write_bytes(content if isinstance(content, bytes) else content.encode())
    engine = FakeEngine()
    assert store.find(RECIPE) is None
    assert store.entries() == []
    assert listing(store, engine) == []
    gone = prune(store, engine, keep_all)
    assert [(row.name, row.source, row.digest) for row in gone] == [
        ("damaged entry", "broken", RECIPE.digest)
    ]
    assert not (store.root / "objects" / RECIPE.digest).exists()
    assert fill(store).damaged() == []


def test_a_manifest_that_is_a_folder_or_gone_is_as_good_as_none(store: Store) -> None:
    manifest = fill(store).file("manifest.json")
    manifest.unlink()
    assert store.find(RECIPE) is None
    manifest.mkdir()
    assert store.find(RECIPE) is None
    assert fill(store).damaged() == []


def test_an_entry_that_lacks_a_fact_is_made_again(store: Store) -> None:
    fill(store)
    made: list[Path] = []
    store.obtain(
        RECIPE, made.append, Recorder(), still_good=lambda entry: entry.manifest["facts"]["image"]
    )
    assert len(made) == 1


def test_what_is_being_made_stays(store: Store) -> None:
    store.scratch("go-build")
    fill(store, OTHER)
    engine = FakeEngine()
    with building(store.root, RECIPE):
        assert not store.is_idle
        rows = prunable(store, engine, keep_none)
        assert [row.name for row in rows] == ["other"]
        forged = [
            *rows,
            Row("x", "", "unfinished", 0, 0.0, RECIPE.digest),
            Row("x", "", "cache", 0, 0.0, "go-build"),
        ]
        assert remove_rows(store, engine, forged) == rows
        assert remove_abandoned(store, engine) == []
        assert (store.root / "tmp" / RECIPE.digest).is_dir()
        assert (store.root / "go-build").is_dir()
    assert store.is_idle
    assert store.find(RECIPE) is not None


@pytest.mark.parametrize("name", ["..", ".", "", "/", "go-build/..", "../foreign", "locks", MARK])
def test_rows_of_other_names_remove_nothing(store: Store, foreign: Path, name: str) -> None:
    fill(store)
    before, theirs = names_in(store.root), names_in(foreign)
    for source in ("cache", "built", "broken", "unfinished"):
        with pytest.raises(NotOursError):
            remove_rows(store, FakeEngine(), [Row("x", "", source, 0, 0.0, name)])
    assert names_in(store.root) == before
    assert names_in(foreign) == theirs


def test_an_entry_of_another_store_is_not_removed(store: Store, tmp_path: Path) -> None:
    fill(store)
    entry = fill(Store(tmp_path / "other"))
    with pytest.raises(NotOursError, match="is no entry of"):
        store.remove(entry)
    assert entry.damaged() == []
    assert store.remove(fill(store)) == 5


@pytest.mark.parametrize("part", ["objects", "tmp", "locks", "go-build"])
def test_a_part_that_is_a_link_is_refused(store: Store, foreign: Path, part: str) -> None:
    fill(store)
    if (store.root / part).exists():
        (store.root / part).rename(store.root.parent / "away")
    (store.root / part).symlink_to(foreign / part)
    before = names_in(foreign)
    if part == "go-build":
        assert [row.name for row in listing(store, FakeEngine())] == ["thing"]
        with pytest.raises(NotOursError, match="is a link"):
            store.remove_cache(part)
        with pytest.raises(NotOursError, match="is a link"):
            store.scratch(part)
    else:
        for act in (fill, lambda store: prune(store, FakeEngine(), keep_none)):
            with pytest.raises(NotOursError, match="is a link"):
                act(store)
    assert names_in(foreign) == before


@pytest.mark.parametrize("part", ["objects", "tmp"])
def test_an_entry_that_is_a_link_is_refused(store: Store, foreign: Path, part: str) -> None:
    fill(store, OTHER)
    _write_manifest(foreign)
    before = names_in(foreign)
    (store.root / part / RECIPE.digest).symlink_to(foreign / "objects" / DIGEST)
    assert store.find(RECIPE) is None
    for act in (fill, lambda store: prune(store, FakeEngine(), keep_none)):
        with pytest.raises(NotOursError, match="is a link"):
            act(store)
    assert names_in(foreign) == before


def test_a_link_in_an_entry_is_not_followed(store: Store, foreign: Path) -> None:
    letter = foreign / "debs" / "letter"
    letter.chmod(0o640)
    store.obtain(RECIPE, lambda folder: (folder / "link").symlink_to(letter), Recorder())
    assert letter.stat().st_mode & 0o777 == 0o640
    used = fill(store, OTHER).file("used")
    used.unlink()
    used.symlink_to(foreign / "new")
    with pytest.raises(MeshproofError, match="cannot write the file"):
        fill(store, OTHER)
    prune(store, FakeEngine(), keep_none)
    assert letter.exists()
    assert not (foreign / "new").exists()


def test_a_root_may_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "disk")
    store = Store(tmp_path / "store")
    fill(store)
    assert [row.name for row in prune(store, FakeEngine(), keep_none)] == ["thing"]
    assert (tmp_path / "disk" / MARK).is_file()


@pytest.mark.parametrize("root", ["file", "file/below", "loop"])
def test_a_root_that_cannot_be_used_is_said_in_one_sentence(tmp_path: Path, root: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    store = Store(tmp_path / root)
    for act in (fill, lambda store: store.entries(), lambda store: store.scratch("debs")):
        with pytest.raises(MeshproofError, match=rf"(cannot .* the folder )?.*/{root}"):
            act(store)
    with pytest.raises(MeshproofError, match="cannot read the folder"):
        prune(store, FakeEngine(), keep_none)


def test_a_read_only_store_is_said_in_one_sentence(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)

    def refuse(path: object, *_: object) -> int:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(os, "open", refuse)
    for recipe in (RECIPE, OTHER):
        with pytest.raises(MeshproofError, match="read-only file system") as told:
            fill(store, recipe)
        assert told.value.exit_code == 2
