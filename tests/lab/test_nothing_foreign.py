"""Nothing foreign is deleted: whatever the names, the links and the environment, what meshproof
did not make is byte for byte the same before and after all that deletes."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from meshproof.artifacts.bake import BUILD_LABEL, remove_abandoned
from meshproof.artifacts.manage import Row, prune, remove_rows
from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.engine import Container
from meshproof.engine.engine import KIND_LABEL, RUN_LABEL
from meshproof.errors import MeshproofError, UsageError
from meshproof.events import Recorder
from meshproof.lab import remove
from meshproof.lab.network.subnets import Leases
from meshproof.lab.ownership import Claim, is_lab_id
from meshproof.lab.remove import remove_lab
from meshproof.lab.sweep import find, find_all, sweep, take_down, what_would_go
from meshproof.owned import (
    LAB,
    MARK,
    STATE,
    STORE,
    delete_owned,
    delete_part,
    is_deletable,
    make_owned,
)
from tests.lab.fakes import FakeEngine, network

Tree = Mapping[str, Any]
"""Names with what is there: bytes for a file, text for a link, a Tree for a folder."""

LAB_ID, DIGEST = "0a1b2c3d", "0123456789abcdef" * 4
RECIPE = Recipe("thing", "1", {})
BOUNDED = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)

# Names that mean something to meshproof, and such as a shell or a script gone wrong would give.
_KNOWN = [LAB_ID, f"{LAB_ID}.lock", "labs", "lab.json", "subnets.json", "subnets.lock"]
_KNOWN += ["subnets.new", "objects", "tmp", "locks", "go-build", "debs", DIGEST, MARK]
_KNOWN += [f"{DIGEST}.lock", "manifest.json", "used", "deadbeef", RECIPE.digest]
_ODD = ["", ".", "..", "/", "//", "~", "*", "-rf", "\0", "\n", f"{LAB_ID}\n", f"{LAB_ID}/", "a/b"]
_ODD += [f"../{LAB_ID}", f"./{LAB_ID}", f"{LAB_ID}/..", f"{LAB_ID}\0", LAB_ID.upper(), "../..", "é"]
_ODD += ["\u0660a1b2c3d", "x" * 300, "../foreign", "labs/..", "%2e%2e", "$HOME"]

texts = some.text(max_size=12) | some.text("./0a1b2c3d", max_size=12)
names = some.sampled_from(_KNOWN) | some.sampled_from(_ODD) | texts
file_names = some.sampled_from(_KNOWN) | some.text("ab.é -", min_size=1, max_size=4).filter(
    lambda name: name not in (".", "..")
)
contents = some.sampled_from(
    [
        *(b"", b"dear", b"{}", b"[]", b"\xff", b'{"172.30.0.0/24": "0a1b2c3d"}'),
        *(b"A lab of meshproof's, made and deleted by meshproof.\n", b"A store"),
        b'{"recipe": "x", "version": "1", "files": {}, "facts": {}, "created": 1.0}',
    ]
)
links = some.sampled_from(["..", "labs", LAB_ID, "/nowhere", f"objects/{DIGEST}", "tmp", "."])
trees = some.recursive(
    some.dictionaries(file_names, contents | links, max_size=4),
    lambda inner: some.dictionaries(file_names, contents | links | inner, max_size=4),
    max_leaves=12,
)


def foreign(tree: Tree, **more: Tree) -> Tree:
    """A tree that is somebody else's: it holds something, and its root bears no mark of ours."""
    return {"letter": b"dear", **more, **tree, MARK: b"A store"}


foreign_trees = trees.map(foreign) | some.builds(
    # Something lies where meshproof would look.
    lambda tree, labs, objects, tmp: foreign(tree, labs=labs, objects=objects, tmp=tmp),
    *(trees for _ in range(4)),
)


def plant(tree: Tree, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in tree.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        elif isinstance(content, str):
            (folder / name).symlink_to(content)
        else:
            plant(content, folder / name)


def picture(root: Path) -> dict[str, object]:
    """All that is below a folder: kind, mode, and content or target."""
    seen: dict[str, object] = {".": stat.S_IMODE(root.stat().st_mode)}
    for place, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(place) / name
            mode = path.lstat().st_mode
            content: object = path.readlink() if stat.S_ISLNK(mode) else None
            content = path.read_bytes() if stat.S_ISREG(mode) else content
            seen[str(path.relative_to(root))] = (mode, content)
    return seen


@contextmanager
def world() -> Iterator[Path]:
    """A new folder; the environment names a state folder and a store in it, which are not there."""
    with tempfile.TemporaryDirectory() as text:
        root = Path(text)
        with (
            mock.patch.dict(os.environ, environment(root / "state", root / "store")),
            mock.patch.object(remove, "_programs", lambda _: iter(())),  # they take long to list
            mock.patch.object(remove, "_orphaned_monitors", lambda _: iter(())),
            mock.patch.object(os, "fsync", lambda _: None),
        ):
            yield root


def environment(state: Path, store: Path) -> dict[str, str]:
    return {"MESHPROOF_STATE": str(state), "MESHPROOF_STORE": str(store)}


def machine(label: str) -> FakeEngine:
    """An engine with containers, networks and images that say they are something's of ours."""
    engine = FakeEngine()
    for number, key in enumerate((RUN_LABEL, KIND_LABEL, BUILD_LABEL)):
        engine.there.append(Container(f"theirs-{number}", True, {key: label}))
    engine.nets = [network("theirs-net", label, "/another/state")]
    engine.stores = {"theirs-volume": {"note": label}}
    engine.images = {"db:1": "a"}
    return engine


def fill(folder: Path) -> None:
    (folder / "file").write_text("made")


def acts(name: str, root: Path, engine: FakeEngine) -> list[Callable[[], object]]:
    """All that writes, removes or deletes, told the same name."""
    theirs, kinds = root / "foreign", (LAB, STATE, STORE)
    return [
        *_acts_on_labs(name, engine),
        *_acts_on_the_store(name, theirs, engine),
        *(partial(_delete, theirs, name, kind) for kind in kinds),
        *(partial(_delete, theirs / "labs", name, kind) for kind in kinds),
        *(partial(delete_part, theirs, kind, name) for kind in kinds),
        *(partial(delete_part, theirs, kind, "labs", name) for kind in kinds),
        *(partial(make_owned, theirs, kind) for kind in kinds),
    ]


def _acts_on_labs(name: str, engine: FakeEngine) -> list[Callable[[], object]]:
    leases = Leases()
    return [
        lambda: Claim(name).take(),
        lambda: Claim(name).forget(),
        lambda: Claim(LAB_ID).forget(),
        lambda: Claim(name).is_free,
        lambda: find(name),
        lambda: find_all(engine),
        lambda: what_would_go(engine, Claim(name)),
        lambda: take_down(engine, find(name)),
        lambda: take_down(engine, Claim(name)),
        lambda: remove_lab(engine, Claim(name)),
        lambda: sweep(engine, also_kept=True),
        lambda: leases.take(name, 1, []),
        lambda: leases.give_back(name),
    ]


def _acts_on_the_store(name: str, theirs: Path, engine: FakeEngine) -> list[Callable[[], object]]:
    store = Store()
    entry = Entry(theirs / name.replace("\0", "0"), {"files": {}})
    rows = [Row("x", "", kind, 0, 0.0, name) for kind in ("cache", "broken", "unfinished", "built")]
    return [
        lambda: store.obtain(RECIPE, fill, Recorder()),
        lambda: store.remove(entry),
        lambda: [store.remove(one) for one in store.entries()],
        lambda: store.remove_broken(name),
        lambda: store.remove_unfinished(name),
        lambda: store.remove_cache(name),
        lambda: store.scratch("debs"),
        lambda: store.unless_busy(name).__enter__(),
        *(partial(remove_rows, store, engine, [row]) for row in rows),
        lambda: prune(store, engine, lambda _: False),
        lambda: remove_abandoned(store, engine),
    ]


def _delete(within: Path, name: str, kind: str) -> None:
    """Where an empty folder, or one with our mark, really lies, it may be deleted."""
    if "\0" not in name and not is_deletable(within / name, kind):
        delete_owned(within / name, kind, within=within)


def try_all(todo: list[Callable[[], object]]) -> None:
    for act in todo:
        with suppress(MeshproofError):
            act()


@BOUNDED
@given(name=names)
def test_only_an_id_is_taken_for_one(name: str) -> None:
    with world():
        if is_lab_id(name):
            assert Claim(name).folder.name == name
        else:
            for say in (Claim, find):
                with pytest.raises(UsageError, match="is no lab's id"):
                    say(name)


@BOUNDED
@given(tree=foreign_trees, name=names, data=some.data())
def test_a_foreign_tree_is_the_same_whatever_the_environment_says(
    tree: Tree, name: str, data: some.DataObject
) -> None:
    """The state folder and the store are somebody else's tree, or folders in it."""
    with world() as root:
        plant(tree, root / "foreign")
        places = some.sampled_from(folders_in(root))
        state, store = data.draw(places, label="state"), data.draw(places, label="store")
        before, engine = picture(root), machine(f"{name}x")
        there = engine.names()
        with mock.patch.dict(os.environ, environment(state, store)):
            try_all(acts(name, root, engine))
        assert picture(root) == before
        assert engine.names() == there


@BOUNDED
@given(
    tree=trees.map(foreign),
    linked=some.sets(some.sampled_from(["lab", "labs", "lock", "part", "entry"]), min_size=1),
    part=some.sampled_from(["objects", "tmp", "locks", "go-build", "debs"]),
    marked=some.booleans(),
    name=names,
)
def test_what_a_link_in_ours_leads_to_is_the_same(
    tree: Tree, linked: set[str], part: str, marked: bool, name: str
) -> None:
    """The state folder and the store are ours; links in them lead to somebody else's."""
    with world() as root:
        plant(tree, root / "foreign")
        target = root / "foreign"
        if marked:  # ours by its mark, but not where ours lie
            target = root / "foreign" / "marked lab"
            make_owned(target, LAB)
        with mock.patch.dict(os.environ, environment(root / "state", root / "store")):
            Claim("11111111").take()
            Store().obtain(RECIPE, fill, Recorder())
            link(root, linked, part, target)
            before, engine = picture(root / "foreign"), machine(f"{name}x")
            there = engine.names()
            for told in (name, LAB_ID, DIGEST):
                try_all(acts(told, root, engine))
        assert picture(root / "foreign") == before
        assert engine.names() == there


def folders_in(root: Path) -> list[Path]:
    """The folders in a foreign tree that hold something: an empty one may be made ours."""
    found = [path for path in (root / "foreign", *(root / "foreign").rglob("*")) if path.is_dir()]
    real = [path for path in found if path.resolve() == path.parent.resolve() / path.name]
    return [path for path in real if not is_deletable(path, STORE)]


def link(root: Path, linked: set[str], part: str, target: Path) -> None:
    """Put links to a target into the state folder and the store, in the place of what is there."""
    labs, folder = root / "state" / "labs", root / "store" / part
    if "labs" in linked:
        labs.rename(root / "labs aside")
        labs.symlink_to(target)
    else:
        if "lab" in linked:
            (labs / LAB_ID).symlink_to(target)
        if "lock" in linked:
            (labs / f"{LAB_ID}.lock").symlink_to(target / "letter")
    if "part" in linked:
        if folder.exists():
            folder.rename(root / "part aside")
        folder.symlink_to(target)
    elif "entry" in linked:
        folder.mkdir(exist_ok=True)
        (folder / DIGEST).symlink_to(target)
