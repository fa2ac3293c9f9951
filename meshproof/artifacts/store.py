"""The content-addressed store: made once, verified on use, safe against kills and races.

An entry is ``objects/<digest>/``: files and ``manifest.json``. It is made in ``tmp/`` and
renamed when complete, under a lock of its digest, so that an entry that is there is whole.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from meshproof.artifacts import digests
from meshproof.artifacts.space import full_disk_explained
from meshproof.events import Recorder
from meshproof.paths import store_dir

_MANIFEST = "manifest.json"
_USED = "used"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is to be made, out of which inputs. ``needs``: bytes of disk it takes to make."""

    name: str
    version: str
    inputs: Mapping[str, Any]
    needs: int = 2**30

    @property
    def digest(self) -> str:
        """Names the result: it changes with any input."""
        return digests.of_inputs({"recipe": self.name, "version": self.version, **self.inputs})

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished entry. ``manifest``: recipe, version, inputs, files, seconds, created."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def digest(self) -> str:
        return self.folder.name

    def file(self, name: str) -> Path:
        """A file of the entry, by its name or path inside it."""
        return self.folder / name

    def damaged(self, names: tuple[str, ...] | None = None) -> list[str]:
        """Which of its files (all, or only ``names``) are not what was stored."""
        recorded = self.manifest["files"]
        return [
            name
            for name in (names if names is not None else recorded)
            if name not in recorded
            or not self.file(name).is_file()
            or self.file(name).stat().st_size != recorded[name]["size"]
            or digests.of_file(self.file(name)) != recorded[name]["sha256"]
        ]

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file["size"] for file in self.manifest["files"].values())

    @property
    def last_used(self) -> float:
        """Seconds since the epoch."""
        used = self.file(_USED)
        return used.stat().st_mtime if used.exists() else float(self.manifest["created"])


@dataclass(frozen=True)
class Store:
    """The artifacts of this machine's user. ``root``: by default ``paths.store_dir()``."""

    root: Path = field(default_factory=store_dir)

    def find(self, recipe: Recipe | str) -> Entry | None:
        """The entry of a recipe or digest if it is there. Its files are not verified."""
        digest = recipe if isinstance(recipe, str) else recipe.digest
        folder = self.root / "objects" / digest
        try:
            manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return Entry(folder, manifest)

    def entries(self) -> list[Entry]:
        """All entries."""
        objects = self.root / "objects"
        folders = sorted(objects.iterdir()) if objects.is_dir() else []
        return [entry for folder in folders if (entry := self.find(folder.name)) is not None]

    def obtain(
        self,
        recipe: Recipe,
        make: Callable[[Path], Mapping[str, Any] | None],
        recorder: Recorder,
        *,
        used: tuple[str, ...] | None = None,
        still_good: Callable[[Entry], bool] = lambda _: True,
    ) -> Entry:
        """The entry of ``recipe``; ``make`` fills an empty folder when it is not there.

        What ``make`` returns is kept in the manifest as "facts". ``used``: the files to verify
        (all by default). ``still_good``: whether what lies outside the store is still there.
        An entry that is damaged is made again. Raises ArtifactError when the disk is full, and
        whatever ``make`` raises.
        """
        entry = self._sound(recipe, Recorder(), used, still_good)
        if entry is None:
            with self.lock(recipe, recorder):
                # Another process may have made it while this one waited.
                entry = self._sound(recipe, recorder, used, still_good)
                if entry is None:
                    entry = self._make(recipe, make, recorder)
        (entry.folder / _USED).touch()
        return entry

    @contextmanager
    def lock(self, recipe: Recipe, recorder: Recorder) -> Iterator[None]:
        """Be the only process that makes ``recipe``; says so when it must wait."""
        lock = self._lock(recipe.digest)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            recorder.emit("artifact-wait", artifact=str(recipe), why="another process makes it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def unless_busy(self, digest: str) -> Iterator[bool]:
        """Whether nobody makes ``digest``; then nobody can begin to, as long as this lasts."""
        lock = self._lock(digest)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def remove(self, entry: Entry) -> int:
        """Remove an entry; returns the bytes freed."""
        freed = entry.size
        _remove_tree(entry.folder)
        return freed

    def scratch(self, name: str) -> Path:
        """A folder that outlives builds, for caches that make a later build quicker."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _lock(self, digest: str) -> FileLock:
        return FileLock(self.scratch("locks") / f"{digest}.lock")

    def _sound(
        self,
        recipe: Recipe,
        recorder: Recorder,
        used: tuple[str, ...] | None,
        still_good: Callable[[Entry], bool],
    ) -> Entry | None:
        entry = self.find(recipe)
        if entry is None:
            return None
        damaged = entry.damaged(used)
        if not damaged and still_good(entry):
            return entry
        why = f"damaged: {', '.join(damaged)}" if damaged else "the engine no longer has it"
        recorder.emit("artifact-lost", artifact=str(recipe), why=why)
        return None

    def _make(
        self,
        recipe: Recipe,
        make: Callable[[Path], Mapping[str, Any] | None],
        recorder: Recorder,
    ) -> Entry:
        folder = self.root / "objects" / recipe.digest
        temporary = self.scratch("tmp") / recipe.digest
        begin = time.monotonic()
        with (
            full_disk_explained(str(recipe), self.root, recipe.needs),
            recorder.step(f"make {recipe}", digest=recipe.digest[:16]),
        ):
            # What is there is of a build that was killed: the lock is ours.
            _remove_tree(temporary)
            temporary.mkdir()
            try:
                facts = make(temporary) or {}
                manifest = _manifest(recipe, temporary, facts, time.monotonic() - begin)
                _write_synced(temporary / _MANIFEST, json.dumps(manifest, indent=1))
                _remove_tree(folder)
                folder.parent.mkdir(parents=True, exist_ok=True)
                temporary.rename(folder)
            except BaseException:
                _remove_tree(temporary)
                raise
        return Entry(folder, manifest)


def _manifest(
    recipe: Recipe, folder: Path, facts: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    files = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        executable = path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o555 if executable else 0o444)
        name = str(path.relative_to(folder))
        files[name] = {"size": path.stat().st_size, "sha256": digests.of_file(path)}
    return {
        "recipe": recipe.name,
        "version": recipe.version,
        "inputs": dict(recipe.inputs),
        "files": files,
        "facts": dict(facts),
        "seconds": round(seconds, 1),
        "created": time.time(),
    }


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _remove_tree(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
