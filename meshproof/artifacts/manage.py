"""Lists what the store holds, and removes what nobody needs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from meshproof.artifacts.bake import remove_abandoned
from meshproof.artifacts.store import Store
from meshproof.engine import Engine

_CACHES = {"go-build": "Go's compile cache", "debs": "Debian packages"}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing in the store. ``size``: bytes; ``last_used``: seconds since the epoch.

    ``source``: the recipe's kind ("built", "published", "checkout", "cache").
    """

    name: str
    version: str
    source: str
    size: int
    last_used: float
    digest: str


def listing(store: Store, engine: Engine) -> list[Row]:
    """All entries and caches of the store, the biggest first."""
    rows = []
    for entry in store.entries():
        manifest = entry.manifest
        name, version = manifest["recipe"], manifest["version"]
        source = "published" if "published" in (name, *version.split()) else "built"
        source = "checkout" if "checkout" in f"{name} {version}" else source
        reference = manifest["facts"].get("reference")
        size = entry.size + (_image_size(engine, reference) if reference else 0)
        rows.append(Row(name, version, source, size, entry.last_used, entry.digest))
    for folder, name in _CACHES.items():
        path = store.root / folder
        if path.is_dir():
            rows.append(Row(name, "", "cache", _size(path), path.stat().st_mtime, folder))
    return sorted(rows, key=lambda row: -row.size)


def prune(store: Store, engine: Engine, keep: Callable[[Row], bool]) -> int:
    """Remove every row that ``keep`` says no to, and what killed builds left.

    Returns the bytes freed. What a living process is making, and images that a lab
    is made of, are not touched.
    """
    remove_abandoned(store, engine)
    freed = 0
    for row in listing(store, engine):
        if keep(row):
            continue
        with store.unless_busy(row.digest) as idle:
            freed += _remove(store, engine, row) if idle else 0
    return freed


def _remove(store: Store, engine: Engine, row: Row) -> int:
    entry = store.find(row.digest)
    if entry is None:
        shutil.rmtree(store.root / row.digest, ignore_errors=True)
        return row.size
    reference = entry.manifest["facts"].get("reference")
    if reference and not engine.remove_image(reference):
        return 0  # a lab is made of it
    store.remove(entry)
    return row.size


def _image_size(engine: Engine, reference: str) -> int:
    finished = engine.command(
        "image", "inspect", "-f", "{{.Size}}", reference, check=False, timeout=60
    )
    said = finished.stdout.strip()
    return int(said) if said.isdigit() else 0


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
