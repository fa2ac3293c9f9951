"""`artifacts list`, `build` and `prune`: numbers, checkouts, and stores that hold anything."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli import laid
from tests.cli.harness import (
    LONG,
    Case,
    case,
    check,
    refused,
    unable,
)
from tests.cli.laid import all_of, damaged, file, foreign, loop, store
from tests.cli.world import World

NOT_OURS = ("{store}", "not marked as a store")


def _go_mod(text: bytes) -> laid.Lay:
    return file("tree/go.mod", text=text)


def _tree(world: World) -> Path:
    """Where the go.mod of a tree would be."""
    (world.work / "tree").mkdir()
    return world.work / "tree" / "go.mod"


PRUNE = [
    *(
        refused(
            f"prune by {name}",
            f"artifacts prune --unused-days={given}",
            *said,
            lay=store,
        )
        for name, given, *said in (
            ("minus one day", "-1", "--unused-days", "from 0"),
            ("minus a little", "-0.001", "from 0"),
            ("nan", "nan", "--unused-days"),
            ("NAN", "NAN", "--unused-days"),
            ("infinity", "inf", "--unused-days"),
            ("minus infinity", "-inf", "--unused-days"),
            ("a number that is too large", "1e999", "--unused-days"),
            ("a word", "many", "--unused-days"),
            ("nothing", "", "--unused-days"),
            ("a comma", "1,5", "--unused-days"),
        )
    ),
    refused("prune in two ways", "artifacts prune --all --unused-days 3", "contradict each other"),
    refused("prune without a number", "artifacts prune --unused-days", "requires an argument"),
    refused(
        "prune 100 kB",
        ["artifacts", "prune", "--unused-days", LONG],
        "--unused-days",
    ),
    refused("prune what is not ours", "artifacts prune", *NOT_OURS, lay=foreign),
    refused("prune all of it", "artifacts prune --all", *NOT_OURS, lay=foreign),
    refused("prune, dry", "artifacts prune --dry-run", *NOT_OURS, lay=foreign),
    refused(
        "prune the home directory",
        "artifacts prune",
        "not marked",
        lay=lambda w: (w.home / "x").touch(),
        env={"MESHPROOF_STORE": "~"},
    ),
    refused(
        "prune the root",
        "artifacts prune --all --dry-run",
        "not marked",
        env={"MESHPROOF_STORE": "/"},
    ),
    refused("prune a word", "artifacts prune everything", "everything"),
    refused("prune --al", "artifacts prune --al", "--al"),
    unable("prune a file", "artifacts prune", "{store}", lay=file("store")),
    unable("prune a loop", "artifacts prune", "{store}", lay=loop("store")),
    case("prune nothing", "artifacts prune", 0, "There is no store at"),
    case(
        "prune, dry, by age",
        "artifacts prune --dry-run",
        0,
        "would go: kind 0.33.0",
        "unfinished build",
        "damaged entry",
        lay=store,
    ),
    case(
        "prune, dry, and huge",
        "artifacts prune --dry-run --unused-days 1e300",
        0,
        "damaged entry",
        lay=store,
    ),
    case("prune, dry, all", "artifacts prune --dry-run --all", 0, "Go's compile cache", lay=store),
    refused(
        "a link in the store",
        "artifacts prune --dry-run",
        "is a link",
        lay=all_of(
            store,
            lambda w: (w.store / "tmp" / ("b" * 64)).rmdir(),
            lambda w: (w.store / "tmp").rmdir(),
            lambda w: (w.store / "tmp").symlink_to(w.home),
        ),
    ),
]


def _manifest(**other: object) -> str:
    """The text of an entry's manifest."""
    whole = {"recipe": "k", "version": "v", "files": {}, "facts": {}, "created": 1.0}
    return json.dumps({**whole, **other})


LIST = [
    case("list nothing", "artifacts list", 0, "The store is empty.", "1.36.3", "1.31.1"),
    case("list", "artifacts list", 0, "kind", "0.33.0", lay=store),
    case("list what is not ours", "artifacts list", 0, "The store is empty.", lay=foreign),
    unable("list a file", "artifacts list", "{store}", lay=file("store")),
    unable("list a loop", "artifacts list", "{store}", lay=loop("store")),
    *(
        case(
            f"list, manifest {name}",
            "artifacts list",
            0,
            "GiB in",
            unsaid=["0.33.0"],
            lay=damaged(text),
        )
        for name, text in {
            "empty": "",
            "cut off": '{"recipe": "ki',
            "a list": "[]",
            "not UTF-8": b"\xff",
            "a NUL byte": "\0",
            "deep": "[" * 10_000,
            "without a date": '{"recipe": "kind", "version": "0.33.0", "files": {}, "facts": {}}',
            "of an infinite date": _manifest(created=float("inf")),
            "with a path outside": _manifest(files={"../x": {"size": 1, "sha256": ""}}),
            "of negative size": _manifest(files={"x": {"size": -1, "sha256": ""}}),
        }.items()
    ),
    case(
        "list, of a huge date",
        "artifacts list",
        0,
        "GiB in",
        lay=damaged(_manifest(created=1e300)),
    ),
    case(
        "list, of a date before time",
        "artifacts list",
        0,
        "GiB in",
        lay=damaged(_manifest(created=-1e300)),
    ),
    case(
        "list, with markup",
        "artifacts list",
        0,
        "[red]k",
        lay=damaged(_manifest(recipe="[red]k", version="[/]")),
    ),
    case("list, working directory gone", "artifacts list", 0, "The store is empty.", lay=laid.gone),
    unable(
        "list, gone, and a relative store",
        "artifacts list",
        "the working directory is gone",
        lay=laid.gone,
        env={"MESHPROOF_STORE": "x"},
    ),
    case(
        "list, an empty variable",
        "artifacts list",
        0,
        "{home}/.cache/meshproof",
        env={"MESHPROOF_STORE": ""},
    ),
    refused("list with an argument", "artifacts list kind", "kind"),
]
TAGGED = damaged(_manifest(recipe="tag", version="docker.io/istio/pilot:1.31.1"))
CARRY = [
    case(
        "prune keeps what tags meant",
        "artifacts prune --dry-run",
        0,
        unsaid=["would go: tag"],
        lay=TAGGED,
    ),
    case(
        "prune forgets what tags meant",
        "artifacts prune --dry-run --all",
        0,
        "would go: tag docker.io/istio/pilot:1.31.1",
        lay=TAGGED,
    ),
    case("list what tags mean", "artifacts list", 0, "published", lay=TAGGED),
    refused("save nothing", "artifacts save {work}/a.zip", "holds nothing whole"),
    refused("save over a file", "artifacts save a.zip", "is there already", lay=file("a.zip")),
    refused("save what is not ours", "artifacts save a.zip", *NOT_OURS, lay=foreign),
    refused("save without a file", "artifacts save", "FILE"),
    refused("load no file", "artifacts load {work}/none.zip", "cannot read"),
    refused("load a text", "artifacts load a.zip", "no file of artifacts", lay=file("a.zip")),
    refused("push to nowhere", "artifacts push", "REGISTRY"),
    refused("push to a word", "artifacts push istio", "is not where images are"),
    refused("push to an image", "artifacts push a.b/c:1", "is not where images are"),
    refused("push what is not ours", "artifacts push a.b/c", *NOT_OURS, lay=foreign),
    case("pull", "artifacts pull", 0, "built: localhost/node:1"),
    refused("pull what is built", "artifacts pull --artifacts built", "--artifacts"),
    refused("pull a hub that is none", "artifacts pull --hub istio", "name the registry"),
    refused("pull from no archive", "artifacts pull --image-archive x", "cannot read"),
    refused("pull from a text", "artifacts pull --image-archive x", "is no archive", lay=file("x")),
    refused("load into what is not ours", "artifacts load a.zip", *NOT_OURS, lay=foreign),
]
BUILD = [
    refused(
        "another version", "artifacts build --kubernetes 1.2.3", "choose one of 1.36.1, 1.36.3"
    ),
    refused("another Istio", "artifacts build --istio 1.31.9", "choose one of 1.31.0, 1.31.1"),
    refused("another source", "artifacts build --artifacts build", "there is no source 'build'"),
    refused("another engine", "artifacts build --engine docker-ce", "did you mean docker"),
    refused(
        "a checkout and built",
        "artifacts build --checkout {work} --artifacts built",
        "leave one of the two out",
    ),
    refused(
        "a checkout and published",
        "artifacts build --checkout {work} --artifacts published",
        "leave one",
    ),
    refused(
        "a checkout of none", "artifacts build --artifacts checkout", "add '--checkout FOLDER'"
    ),
    refused("no such command", "artifacts bild", "bild", "build"),
    case(
        "a registry has it",
        "artifacts build --kubernetes 1.37.9",
        0,
        "built: localhost",
        registry=True,
    ),
    case("it is built", "artifacts build", 0, "built: localhost/node:1"),
    case(
        "the newest",
        "artifacts build --istio latest",
        0,
        "Istio latest is 1.31.1, by what can be built here.",
    ),
    refused("a hub that is none", "artifacts build --hub istio", "name the registry"),
    refused(
        "a hub of a cluster", "artifacts build --hub east=docker.io/istio", "choose a topology"
    ),
    refused(
        "a Kubernetes that is not supported",
        "artifacts build --artifacts published --istio 1.29.4",
        "add --unsupported-kubernetes",
    ),
    case(
        "a Kubernetes that is not supported, and wanted",
        "artifacts build --artifacts published --istio 1.29.4 --unsupported-kubernetes",
        0,
        "built: localhost",
    ),
    unable("interrupted", "artifacts build", "Interrupted.", raises=KeyboardInterrupt()),
    unable(
        "no room",
        "artifacts build",
        "no space left on device",
        raises=OSError(28, "No space left on device", "/x/y"),
    ),
    unable(
        "no room, and no name",
        "artifacts build",
        "no space left on device",
        raises=OSError(28, "No space left on device"),
    ),
]
NO_TREE = "is no Istio source tree"
CHECKOUTS: dict[str, tuple[str, str, laid.Lay | None]] = {
    "a folder without go.mod": ("{work}", NO_TREE, None),
    "nothing": ("", "an empty word", None),
    "what is not there": ("{work}/none", NO_TREE, None),
    "a file": ("{work}/x", NO_TREE, file("x")),
    "a loop of links": ("{work}/loop", "loop", loop("loop")),
    "a device": ("/dev/null", NO_TREE, None),
    "another module": ("tree", NO_TREE, _go_mod(b"module example.com/x\n")),
    "go.mod in Latin-1": ("tree", "UTF-8", _go_mod(b"module istio.io/istio // \xe9\n")),
    "go.mod of NUL bytes": ("tree", NO_TREE, _go_mod(b"\0\0\0")),
    "go.mod is a folder": ("tree", NO_TREE, lambda w: _tree(w).mkdir()),
    "go.mod is a loop": ("tree", "symbolic links", lambda w: _tree(w).symlink_to("go.mod")),
    "go.mod is a fifo": ("tree", NO_TREE, lambda w: os.mkfifo(_tree(w))),
    "100 kB": (LONG, NO_TREE, None),
    "a newline": ("a\nb", NO_TREE, None),
}
TREES = [
    refused(f"{command}, {name}", [*command.split(), "--checkout", given], said, lay=lay)
    for name, (given, said, lay) in CHECKOUTS.items()
    for command in ("verify", "verify --collect-only", "artifacts build")
]


@pytest.mark.parametrize("one", [*PRUNE, *LIST, *CARRY, *BUILD, *TREES])
def test_inputs(world: World, one: Case) -> None:
    check(world, one)


def test_a_tree_of_istio_is_taken(world: World) -> None:
    tree: Path = world.work / "tree"
    tree.mkdir()
    (tree / "go.mod").write_text("module istio.io/istio\n")
    (tree / "VERSION").write_text("1.99\n")
    check(world, Case("artifacts build --checkout tree", 0, ["built: localhost/node:1"]))
