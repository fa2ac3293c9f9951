"""Topology files and kind configurations on a command line; all that can be wrong inside them is
in ``tests/files``."""

from __future__ import annotations

import os

import pytest

from tests.cli import laid
from tests.cli.harness import LONG, Case, check, goes_on, refused
from tests.cli.laid import all_of, file, loop
from tests.cli.world import World

OWN = """\
name: {name}
clusters:
  east: {{role: primary, network: shared}}
  west: {{role: remote, primary: east, network: shared}}
"""
REPORTS = ("work/reports",)


def own(name: str = "mine", path: str = "mine.yaml") -> laid.Lay:
    """A topology file of one's own."""
    return file(path, text=OWN.format(name=name))


def text(content: str | bytes) -> laid.Lay:
    """A file mine.yaml that says this."""
    return file("mine.yaml", text=content)


def link(world: World) -> None:
    """A link to it."""
    (world.work / "l").symlink_to("mine.yaml")


MINE = "verify --topology-file mine.yaml"
ROWS = [
    refused("no such file", MINE, "there is no topology file", "mine.yaml"),
    refused("nothing", ["verify", "--topology-file", ""], "an empty word"),
    refused("a folder", "verify --topology-file {work}", "folder"),
    refused("a device", "verify --topology-file /dev/null", "/dev/null"),
    refused("a loop of links", MINE, "mine.yaml", lay=loop("mine.yaml")),
    refused("a fifo", MINE, "mine.yaml", lay=lambda w: os.mkfifo(w.work / "mine.yaml")),
    refused("a topology's name", "verify --topology-file bare", "there is no topology file"),
    refused("100 kB", ["verify", "--topology-file", LONG], "name too long"),
    refused("a newline", ["verify", "--topology-file", "a\nb"], "there is no topology file"),
    refused("empty", MINE, "mine.yaml:1: the file is empty", lay=text("")),
    refused("no YAML", MINE, "mine.yaml:1: ", lay=text("]")),
    refused("Latin-1", MINE, "mine.yaml:1: ", lay=text(b"name: \xe9\n")),
    refused("deep", MINE, "mine.yaml:1: ", lay=text("[" * 10_000)),
    refused("10 MB", MINE, "mine.yaml", lay=text("x" * 10_000_000)),
    refused(
        "no clusters",
        MINE,
        "mine.yaml:2",
        "has no clusters",
        lay=text("name: a\nclusters: {}\n"),
    ),
    refused("called bare", MINE, "mine.yaml:1", "'bare' stands for", lay=own("bare")),
    refused(
        "no version anywhere",
        MINE,
        "mine.yaml:2",
        lay=text("name: mine\nclusters:\n  east: {role: primary, network: n, versions: []}\n"),
    ),
    refused("only listed", f"{MINE} --collect-only", "mine.yaml:1", lay=text("[]")),
    refused(
        "two of one name",
        "verify --topology-file a.yaml --topology-file b.yaml",
        "two of the topologies chosen are called mine",
        lay=all_of(own("mine", "a.yaml"), own("mine", "b.yaml")),
    ),
    refused(
        "the name of one that is named",
        f"{MINE} primary-remote-flat",
        "two of the topologies chosen are called primary-remote-flat",
        lay=own("primary-remote-flat"),
    ),
    refused(
        "its name as an argument", "verify mine.yaml", "'--topology-file mine.yaml'", lay=own()
    ),
    refused("a kind configuration", MINE, "mine.yaml:1", lay=text("kind: Cluster\n")),
    refused(
        "a kind configuration that is not there",
        MINE,
        "mine.yaml:3: ",
        "kind configuration 'x.yaml'",
        lay=text(OWN.format(name="mine").replace("primary,", "primary, kind-config: x.yaml,", 1)),
    ),
    goes_on("as it is", MINE, lay=own(), makes=REPORTS),
    goes_on("a link to it", "verify --topology-file l", lay=all_of(own(), link), makes=REPORTS),
    goes_on("twice the same", f"{MINE} --topology-file mine.yaml", lay=own(), makes=REPORTS),
    goes_on("and bare clusters", f"{MINE} bare", lay=own(), makes=REPORTS),
    goes_on("and all there are", f"{MINE} --profile all", lay=own(), makes=REPORTS),
]


@pytest.mark.parametrize("one", ROWS)
def test_inputs(world: World, one: Case) -> None:
    check(world, one)
