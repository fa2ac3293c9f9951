"""Marks a store that was made before stores were marked: its entries prove whose it is."""

from __future__ import annotations

import os
from pathlib import Path

from meshproof.artifacts.manifest import read_manifest
from meshproof.artifacts.store import PARTS, Recipe, Store, is_digest
from meshproof.owned import STORE, is_owned, mark_proven


def mark_older_store() -> None:
    """Mark the store, if it is not marked and yet shown to be one.

    It holds nothing but a store's folders, and an entry whose name is the digest of what its
    manifest says it was made of. Raises OSError when it cannot be read or written to.
    """
    root = Path(os.path.realpath(Store().root))
    if not root.is_dir() or is_owned(root, STORE):
        return
    if {path.name for path in root.iterdir()} <= PARTS and any(map(_is_proven, _entries(root))):
        mark_proven(root, STORE)


def _entries(root: Path) -> list[Path]:
    objects = root / "objects"
    if objects.is_symlink() or not objects.is_dir():
        return []
    return [path for path in objects.iterdir() if is_digest(path.name) and not path.is_symlink()]


def _is_proven(folder: Path) -> bool:
    manifest = read_manifest(folder)
    if manifest is None or not isinstance(manifest.get("inputs"), dict):
        return False
    made_of = Recipe(manifest["recipe"], manifest["version"], manifest["inputs"])
    return made_of.digest == folder.name
