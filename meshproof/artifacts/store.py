"""The content-addressed store: made once, verified on use, safe against kills and races.

An entry is ``objects/<digest>/``: files and ``manifest.json``. It is made in ``tmp/`` and
renamed when complete, under a lock of its digest, so that an entry that is there is whole.

The folder is marked as a store when it is made. In one that is not marked nothing is written or
deleted, and in one that is, only what is named by a digest, and the caches, and nothing that is
reached by a link.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from meshproof.artifacts import digests
from meshproof.artifacts.manifest import read_manifest, write_manifest
from meshproof.artifacts.space import full_disk_explained
from meshproof.errors import MeshproofError
from meshproof.events import Recorder
from meshproof.owned import STORE, NotOursError, check_not_foreign, delete_part, make_owned
from meshproof.paths import store_dir
from meshproof.reading import file_errors

CACHES = {"go-build": "Go's compile cache", "debs": "Debian packages"}
"""Folders in a store that make builds quicker, and may go at any time but while one runs."""

_OBJECTS, _UNFINISHED, _LOCKS = "objects", "tmp", "locks"
PARTS = frozenset({_OBJECTS, _UNFINISHED, _LOCKS, *CACHES})
"""All that there is in a store, beside its mark."""
_USED = "used"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def is_digest(name: str) -> bool:
    """Whether this is what ``Recipe.digest`` gives: the name of an entry."""
    return _DIGEST.fullmatch(name) is not None


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

    @property
    def description(self) -> dict[str, Any]:
        """What the manifest of the result says of it."""
        return {"recipe": self.name, "version": self.version, "inputs": dict(self.inputs)}

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
        wanted = names if names is not None else self.manifest["files"]
        return [name for name in wanted if not self._is_sound(name)]

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file["size"] for file in self.manifest["files"].values())

    @property
    def last_used(self) -> float:
        """Seconds since the epoch."""
        try:
            return self.file(_USED).stat().st_mtime
        except OSError:
            return float(self.manifest["created"])

    def _is_sound(self, name: str) -> bool:
        recorded, path = self.manifest["files"].get(name), self.file(name)
        try:
            return (
                recorded is not None
                and path.is_file()
                and path.stat().st_size == recorded["size"]
                and digests.of_file(path) == recorded["sha256"]
            )
        except OSError:
            return False


@dataclass(frozen=True)
class Store:
    """The artifacts of this machine's user. ``root``: by default ``paths.store_dir()``.

    It is made, and marked as ours, when something is first written. What writes or deletes
    raises NotOursError for a root that holds files and is not marked, and where a part of the
    store is a link; MeshproofError, naming the file, when the system refuses.
    """

    root: Path = field(default_factory=store_dir)

    def check_ours(self) -> None:
        """Raise NotOursError when the root holds files and is not marked as a store of ours."""
        check_not_foreign(self._real, STORE)

    def find(self, recipe: Recipe | str) -> Entry | None:
        """The entry of a recipe or digest if it is there. Its files are not verified.

        One whose manifest is damaged is not there. Reads only, also what is not marked.
        """
        digest = recipe if isinstance(recipe, str) else recipe.digest
        folder = self.root / _OBJECTS / digest
        if not is_digest(digest) or folder.is_symlink() or folder.parent.is_symlink():
            return None
        manifest = read_manifest(folder)
        return Entry(folder, manifest) if manifest is not None else None

    def entries(self) -> list[Entry]:
        """All entries. Raises MeshproofError when the store cannot be read."""
        found = [self.find(digest) for digest in self._digests(_OBJECTS)]
        return [entry for entry in found if entry is not None]

    def broken(self) -> list[Path]:
        """The folders of entries whose manifest is damaged, named by their digests."""
        folder = self.root / _OBJECTS
        return [folder / one for one in self._digests(_OBJECTS) if self.find(one) is None]

    def unfinished(self) -> list[Path]:
        """The folders, named by digests, of builds that go on or whose maker was killed."""
        return [self.root / _UNFINISHED / one for one in self._digests(_UNFINISHED)]

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
        An entry that is damaged is made again. Raises ArtifactError when the disk is full,
        NotOursError and MeshproofError as the class says, and whatever ``make`` raises.
        """
        self._make_root()
        entry = self._sound(recipe, Recorder(), used, still_good)
        if entry is None:
            with self.lock(recipe, recorder):
                # Another process may have made it while this one waited.
                entry = self._sound(recipe, recorder, used, still_good)
                if entry is None:
                    entry = self._make(recipe, make, recorder)
        _touch(entry.file(_USED))
        return entry

    @contextmanager
    def lock(self, recipe: Recipe, recorder: Recorder) -> Iterator[None]:
        """Be the only process that makes ``recipe``; says so when it must wait."""
        lock = self._lock(recipe.digest)
        if not _acquired(lock):
            recorder.emit("artifact-wait", artifact=str(recipe), why="another process makes it")
            with file_errors(Path(lock.lock_file), "the lock", doing="take"):
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def unless_busy(self, digest: str) -> Iterator[bool]:
        """Whether nobody makes ``digest``; then nobody can begin to, as long as this lasts."""
        lock = self._lock(digest)
        if not _acquired(lock):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def is_busy(self, digest: str) -> bool:
        """Whether somebody makes ``digest`` just now. Makes nothing itself."""
        path = self.root / _LOCKS / f"{digest}.lock"
        if not path.is_file() or path.is_symlink():
            return False
        lock = FileLock(path)
        if not _acquired(lock):
            return True
        lock.release()
        return False

    @property
    def is_idle(self) -> bool:
        """Whether nobody makes anything just now. Makes nothing itself."""
        names = [name.removesuffix(".lock") for name in self._names(_LOCKS)]
        return not any(self.is_busy(name) for name in names if is_digest(name))

    def remove(self, entry: Entry) -> int:
        """Remove an entry of this store; returns the bytes freed."""
        freed = entry.size
        if entry.folder != self.root / _OBJECTS / entry.digest:
            raise NotOursError(f"{entry.folder} is no entry of {self.root}, so it is not deleted")
        self.remove_broken(entry.digest)
        return freed

    def remove_broken(self, digest: str) -> None:
        """Remove an entry, whatever is left of it. The caller sees to it that nobody makes it."""
        self._delete(_OBJECTS, digest)

    def remove_unfinished(self, digest: str) -> None:
        """Remove what a build left. The caller sees to it that it does not go on."""
        self._delete(_UNFINISHED, digest)

    def remove_cache(self, name: str) -> None:
        """Remove one of the caches. The caller sees to it that no build uses it."""
        if name not in CACHES:
            raise NotOursError(f"{name!r} is no cache of {self.root}, so it is not deleted")
        delete_part(self._real, STORE, name)

    def scratch(self, name: str) -> Path:
        """A folder that outlives builds, for caches that make a later build quicker."""
        self._make_root()
        folder = self._part(name)
        with file_errors(folder, "the folder", doing="make"):
            folder.mkdir(exist_ok=True)
        return folder

    @property
    def _real(self) -> Path:
        """Where the root really is: it may be reached by a link, what is in it may not."""
        return Path(os.path.realpath(self.root))

    def _make_root(self) -> None:
        make_owned(self._real, STORE)
        for name in (_OBJECTS, _UNFINISHED, _LOCKS):
            self._part(name)

    def _part(self, name: str) -> Path:
        """A folder in the root. Raises NotOursError when it is a link."""
        if (self.root / name).is_symlink():
            raise NotOursError(
                f"{self.root / name} is a link, and no part of a store of meshproof's",
                "look at where it leads, and remove the link if it is not needed",
            )
        return self.root / name

    def _names(self, part: str) -> list[str]:
        folder = self._part(part)
        with file_errors(folder, "the folder"):
            try:
                return sorted(path.name for path in folder.iterdir())
            except FileNotFoundError:
                return []

    def _digests(self, part: str) -> list[str]:
        return [name for name in self._names(part) if is_digest(name)]

    def _delete(self, part: str, digest: str) -> None:
        if not is_digest(digest):
            raise NotOursError(f"{digest!r} names no entry of {self.root}, so it is not deleted")
        delete_part(self._real, STORE, part, digest)

    def _lock(self, digest: str) -> FileLock:
        if not (is_digest(digest) or digest in CACHES):
            raise NotOursError(f"{digest!r} names nothing in {self.root}")
        return FileLock(self.scratch(_LOCKS) / f"{digest}.lock")

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
        if not damaged and _holds(still_good, entry):
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
        folder = self.root / _OBJECTS / recipe.digest
        temporary = self.root / _UNFINISHED / recipe.digest
        begin = time.monotonic()
        with (
            full_disk_explained(str(recipe), self.root, recipe.needs),
            recorder.step(f"make {recipe}", digest=recipe.digest[:16]),
        ):
            # What is there is of a build that was killed: the lock is ours.
            self.remove_unfinished(recipe.digest)
            with file_errors(temporary, "the folder", doing="make"):
                self.scratch(_UNFINISHED)
                temporary.mkdir()
            try:
                facts = make(temporary) or {}
                seconds = time.monotonic() - begin
                with file_errors(folder, "the artifact", doing="store"):
                    manifest = write_manifest(temporary, recipe.description, facts, seconds)
                    self.remove_broken(recipe.digest)
                    self.scratch(_OBJECTS)
                    temporary.rename(folder)
            except BaseException:
                self._clear_up(recipe, recorder)
                raise
        return Entry(folder, manifest)

    def _clear_up(self, recipe: Recipe, recorder: Recorder) -> None:
        """Remove what a failed build left; why it failed is more important than why that stays."""
        try:
            self.remove_unfinished(recipe.digest)
        except MeshproofError as error:
            recorder.emit("notice", text=f"what {recipe} left stays: {error}")


def _touch(path: Path) -> None:
    """Note that an entry was used just now, in a file of its own and not behind a link."""
    with file_errors(path, "the file", doing="write"):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            os.utime(file)
        finally:
            os.close(file)


def _acquired(lock: FileLock) -> bool:
    """Take a lock if it is free. Raises MeshproofError when it cannot be taken at all."""
    with file_errors(Path(lock.lock_file), "the lock", doing="take"):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
    return True


def _holds(still_good: Callable[[Entry], bool], entry: Entry) -> bool:
    """What ``still_good`` says; a manifest that lacks what it asks for is as good as none."""
    try:
        return still_good(entry)
    except (KeyError, TypeError):
        return False
