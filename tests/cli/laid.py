"""What may lie in a state folder or a store before a command is run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from meshproof.owned import LAB, STATE, STORE, make_owned
from tests.cli.world import World

Lay = Callable[[World], object]
LAB_ID = "0123abcd"
DIGEST = "a" * 64
ABOUT: dict[str, Any] = {
    "id": LAB_ID,
    "engine": "podman",
    "created": 1_790_000_000.0,
    "owner": 1,
    "kubernetes": "1.36.3",
    "footprint": {"east": "east", "west": "west"},
    "networks": {"east": f"mp-{LAB_ID}-east", "west": f"mp-{LAB_ID}-west"},
    "node_image": "localhost/node:1",
    "wiring": "isolated",
    "kept": True,
    "ready": True,
}


WIRED: dict[str, Any] = {
    "name": "mine",
    "flows": [["east", "west", ["api", "gateway"]], ["west", "east", ["gateway"]]],
    "gateway_ports": [15443],
}


def encoded(text: object) -> bytes:
    """A text, or bytes that are none."""
    return text if isinstance(text, bytes) else str(text).encode()


def all_of(*lays: Lay) -> Lay:
    """A function that lays several things, in order."""

    def lay(world: World) -> None:
        for one in lays:
            one(world)

    return lay


def state(world: World) -> None:
    """A state folder of ours, with a folder for labs."""
    make_owned(world.state, STATE)
    (world.state / "labs").mkdir(exist_ok=True)


def lab(text: object = None, **other: Any) -> Lay:
    """A kept lab; ``text``: instead of its description; ``other``: fields that differ."""

    def lay(world: World) -> None:
        state(world)
        folder = world.state / "labs" / LAB_ID
        make_owned(folder, LAB)
        said = text if text is not None else json.dumps({**ABOUT, **other})
        (folder / "lab.json").write_bytes(encoded(said))

    return lay


def noted_mesh(name: str, **other: Any) -> Lay:
    """What a kept lab notes of a mesh called so; ``other``: fields that differ."""

    def lay(world: World) -> None:
        said: dict[str, Any] = {"lab": LAB_ID, "deployment": "another", "name": name, "dirty": None}
        said |= {"folder": "mesh", "before": {}, **other}
        (world.state / "labs" / LAB_ID / "mesh.json").write_text(json.dumps(said))

    return lay


def noted_faults(text: str) -> Lay:
    """What a kept lab notes of faults in force."""

    def lay(world: World) -> None:
        (world.state / "labs" / LAB_ID / "faults.json").write_text(text)

    return lay


def leases(text: object) -> Lay:
    """A list of leased subnets that says this."""

    def lay(world: World) -> None:
        state(world)
        (world.state / "subnets.json").write_bytes(encoded(text))

    return lay


def store(world: World) -> None:
    """A store of ours with an entry, an unfinished build, a damaged entry and a cache."""
    make_owned(world.store, STORE)
    entry = world.store / "objects" / DIGEST
    entry.mkdir(parents=True)
    manifest = {"recipe": "kind", "version": "0.33.0", "files": {}, "facts": {}, "created": 1.0}
    (entry / "manifest.json").write_text(json.dumps(manifest))
    (world.store / "tmp" / ("b" * 64)).mkdir(parents=True)
    broken = world.store / "objects" / ("c" * 64)
    broken.mkdir()
    (broken / "manifest.json").write_text("[]")
    (world.store / "go-build").mkdir()
    os.utime(world.store / "go-build", (1.0, 1.0))


def damaged(text: object) -> Lay:
    """A store in which the entry's manifest says this."""

    def lay(world: World) -> None:
        store(world)
        (world.store / "objects" / DIGEST / "manifest.json").write_bytes(encoded(text))

    return lay


def foreign(world: World) -> None:
    """Somebody's own folders where the store and the labs would be, laid out as ours are."""
    for folder in (world.store / "tmp" / "mine", world.state / "labs" / "mine", world.work / "v"):
        folder.mkdir(parents=True)
        (folder / "precious").write_text("precious")


def file(*names: str, text: str | bytes = "") -> Lay:
    """Files of the working directory, or "state" or "store" themselves."""

    def lay(world: World) -> None:
        for name in names:
            path = {"state": world.state, "store": world.store}.get(name, world.work / name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return lay


def loop(name: str) -> Lay:
    """A link to itself."""

    def lay(world: World) -> None:
        path = {"state": world.state, "store": world.store}.get(name, world.work / name)
        path.symlink_to(path)

    return lay


def gone(world: World) -> None:
    """No working directory any more."""
    world.gone = True
