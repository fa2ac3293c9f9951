"""Lists what the store holds, and removes what nobody needs."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from meshproof.artifacts.bake import remove_unfinished
from meshproof.artifacts.images import OURS
from meshproof.artifacts.store import CACHES, Entry, Store
from meshproof.engine import Engine, answers

TAG = "tag"
"""The recipe of what is noted of an image's tag."""
BROKEN, UNFINISHED, CACHE = "broken", "unfinished", "cache"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing in the store. ``size``: bytes; ``last_used``: seconds since the epoch.

    ``source``: the recipe's kind ("built", "published", "checkout"), "cache", "broken" for an
    entry whose manifest is damaged, or "unfinished" for what a killed build left.
    """

    name: str
    version: str
    source: str
    size: int
    last_used: float
    digest: str

    def __str__(self) -> str:
        return " ".join(word for word in (self.name, self.version) if word)


def listing(store: Store, engine: Engine) -> list[Row]:
    """All entries and caches of the store, the biggest first."""
    rows = [_entry_row(entry, engine) for entry in store.entries()]
    for folder, name in CACHES.items():
        path = store.root / folder
        if path.is_dir() and not path.is_symlink():
            rows.append(_folder_row(name, CACHE, path))
    return sorted(rows, key=lambda row: -row.size)


def prunable(store: Store, engine: Engine, keep: Callable[[Row], bool]) -> list[Row]:
    """What ``prune`` would remove: every row that ``keep`` says no to, entries that are damaged,
    and what killed builds left.

    Not what a living process is making, nor images that a container is made of. Changes
    nothing. Raises NotOursError when the store is not marked as meshproof's.
    """
    store.check_ours()
    rows = [row for row in listing(store, engine) if not keep(row)]
    rows += [_folder_row("damaged entry", BROKEN, folder) for folder in store.broken()]
    rows += [_folder_row("unfinished build", UNFINISHED, folder) for folder in store.unfinished()]
    return [row for row in rows if not _is_needed(store, engine, row)]


def prune(store: Store, engine: Engine, keep: Callable[[Row], bool]) -> list[Row]:
    """Remove what ``prunable`` names; returns what went. Raises as that does."""
    return remove_rows(store, engine, prunable(store, engine, keep))


def remove_rows(store: Store, engine: Engine, rows: Iterable[Row]) -> list[Row]:
    """Remove just these rows; returns those that went, and records them.

    What a living process makes meanwhile, or uses, stays. Raises NotOursError when the store is
    not marked as meshproof's, or a link is in the way.
    """
    gone: list[Row] = []
    try:
        for row in rows:
            with store.unless_busy(row.digest) as idle:
                if idle and _remove(store, engine, row):
                    gone.append(row)
    finally:
        if gone:
            names = [f"{row} ({row.digest[:16]})" for row in gone]
            engine.shell.recorder.emit("removed", store=str(store.root), what=names)
    return gone


def _remove(store: Store, engine: Engine, row: Row) -> bool:
    if row.source == UNFINISHED:
        for work in store.unfinished():
            if work.name == row.digest:
                remove_unfinished(store, engine, work)
                return True
        return False  # it was finished meanwhile
    if row.source == CACHE:
        if not store.is_idle:
            return False
        store.remove_cache(row.digest)
    elif (entry := store.find(row.digest)) is None:
        store.remove_broken(row.digest)
    elif row.source == BROKEN or entry.last_used > row.last_used:
        return False  # it was made anew, or used, since the row was listed
    else:
        if not _remove_image(engine, entry):
            return False
        store.remove(entry)
    return True


def _is_needed(store: Store, engine: Engine, row: Row) -> bool:
    """Whether a row cannot go now: it is being made, or something runs that is made of it."""
    if row.source == CACHE:
        return not store.is_idle
    if store.is_busy(row.digest):
        return True
    entry = store.find(row.digest) if row.source not in (BROKEN, UNFINISHED) else None
    image = image_of(engine, entry) if entry is not None else None
    if image is None:
        return False
    asked = ("ps", "-a", "--filter", f"ancestor={image}", "--format", answers.marked("{{.ID}}"))
    return bool(answers.rows(engine.command(*asked, check=False, timeout=60)))


def _remove_image(engine: Engine, entry: Entry) -> bool:
    """Remove the image that an entry stands for; False when a container is made of it."""
    image = image_of(engine, entry)
    return image is None or engine.remove_image(image)


def image_of(engine: Engine, entry: Entry) -> str | None:
    """The reference of the image that an entry stands for.

    None when it has none, when the name is not one of ours, and when the engine has no image,
    or another one, under that name.
    """
    facts = entry.manifest["facts"]
    reference, recorded = facts.get("reference"), facts.get("image_id")
    if not (reference and recorded and reference.startswith(f"{OURS}/")):
        return None
    return reference if engine.image_id(reference) == recorded else None


def _entry_row(entry: Entry, engine: Engine) -> Row:
    name, version = entry.manifest["recipe"], entry.manifest["version"]
    own = (TAG, "istioctl-own", "charts-own", "kind-own")
    outside = name in own or name.endswith("-published")
    source = "published" if outside or "published" in version.split() else "built"
    source = "checkout" if "checkout" in f"{name} {version}" else source
    image = image_of(engine, entry)
    size = entry.size + (engine.image_size(image) if image else 0)
    return Row(name, version, source, size, entry.last_used, entry.digest)


def _folder_row(name: str, source: str, path: Path) -> Row:
    try:
        changed = path.lstat().st_mtime
    except OSError:
        changed = 0.0
    return Row(name, "", source, _size(path), changed, path.name)


def _size(folder: Path) -> int:
    """Bytes of the files in a folder; what goes meanwhile is not counted, and no link followed."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                found = (Path(place) / name).lstat()
            except OSError:
                continue
            total += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return total
