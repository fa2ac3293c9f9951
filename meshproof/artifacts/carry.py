"""Carries a store across an air gap in one file: its entries, with the images that they stand for.

The file is a ZIP archive: ``index.json`` with the sha256 of everything else in it, and for each
entry ``objects/<digest>/`` with its manifest and files, and ``images/<digest>.tar`` where the
entry stands for an image of the engine's. Nothing is taken out of a file before all of it was
held against its index, and an entry only under the digest of what its manifest says went in.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from meshproof.artifacts.manage import image_of
from meshproof.artifacts.manifest import FILE, parsed
from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.engine import Engine
from meshproof.errors import ArtifactError, CommandError, UsageError
from meshproof.events import Recorder
from meshproof.reading import file_errors

_INDEX = "index.json"
_WHAT, _INTO = "the file of artifacts", "carry it over once more, or save it anew"
_CHUNK = 2**20
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)
"""What the library raises for an archive in which a bit has fallen over."""
_Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class _Index(BaseModel):
    """``sums``: by name of a member its sha256; ``entries``: the digests of entries."""

    model_config = ConfigDict(strict=True, extra="forbid")
    meshproof_artifacts: Literal[1]
    entries: list[_Digest]
    sums: dict[str, _Digest]


@dataclass(frozen=True, slots=True)
class Carried:
    """What was saved or loaded: entries by what they are, and what was left out and why."""

    entries: tuple[str, ...]
    left: tuple[str, ...]


def save(store: Store, engine: Engine, file: Path) -> Carried:
    """Write a store into a new file. What is damaged, or whose image the engine has lost, is left
    out, and named.

    Raises UsageError when the file is there already or nothing is to be saved, MeshproofError when
    it cannot be written. Half a file never has the file's name.
    """
    if file.exists() or file.is_symlink():
        raise UsageError(f"{file} is there already", "name another file, or remove it")
    taken: list[str] = []
    left: list[str] = []
    with (
        file_errors(file, _WHAT, doing="write", remedy="name a file on a disk with room for it"),
        tempfile.TemporaryDirectory(dir=file.parent, prefix=".meshproof-") as scratch,
    ):
        half = Path(scratch) / "half"
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            sums: dict[str, str] = {}
            digests = []
            for entry in store.entries():
                name = f"{entry.manifest['recipe']} {entry.manifest['version']}"
                why = _save_entry(entry, engine, archive, sums, Path(scratch) / "image.tar")
                (left if why else taken).append(f"{name} ({why})" if why else name)
                digests += [] if why else [entry.digest]
            index = {"meshproof_artifacts": 1, "entries": digests, "sums": sums}
            archive.writestr(_INDEX, json.dumps(index))
        if not taken:
            raise UsageError(
                f"the store {store.root} holds nothing whole", "run 'meshproof artifacts build'"
            )
        half.rename(file)
    return Carried(tuple(taken), tuple(left))


def _save_entry(
    entry: Entry, engine: Engine, archive: zipfile.ZipFile, sums: dict[str, str], image: Path
) -> str:
    """Add an entry; says why it cannot be, "" when it is there."""
    if entry.damaged():
        return "damaged"
    reference = entry.manifest["facts"].get("reference")
    if reference is not None:
        if image_of(engine, entry) is None:
            return "the engine no longer has its image"
        engine.save([reference], image)
        _add(archive, sums, f"images/{entry.digest}.tar", image)
        image.unlink()
    for name in (FILE, *entry.manifest["files"]):
        _add(archive, sums, f"objects/{entry.digest}/{name}", entry.file(name))
    return ""


def _add(archive: zipfile.ZipFile, sums: dict[str, str], name: str, path: Path) -> None:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = stat.S_IMODE(path.stat().st_mode) << 16
    info.file_size = path.stat().st_size
    with path.open("rb") as read, archive.open(info, "w") as into:
        sums[name] = _copied(read, into)


def load(store: Store, engine: Engine, file: Path, recorder: Recorder) -> Carried:
    """Take into the store what a file holds that ``save`` wrote; what is there already stays.

    Raises UsageError for another file, ArtifactError for one that is damaged or whose images the
    engine does not take; of that, nothing is kept.
    """
    taken: list[str] = []
    left: list[str] = []
    with file_errors(file, _WHAT, error=UsageError), _opened(file) as archive:
        entries = _checked(archive, file)
        for digest, manifest in entries.items():
            recipe = Recipe(manifest["recipe"], manifest["version"], manifest["inputs"])
            reference = manifest["facts"].get("reference")
            if reference is not None and manifest["inputs"].get("engine") != engine.name:
                left.append(f"{recipe} (made for {manifest['inputs'].get('engine')})")
                continue
            store.obtain(
                Recipe(recipe.name, recipe.version, recipe.inputs, _needs(manifest)),
                partial(_unpack, archive, digest, manifest, engine),
                recorder,
                still_good=lambda entry: (
                    "reference" not in entry.manifest["facts"]
                    or image_of(engine, entry) is not None
                ),
            )
            taken.append(str(recipe))
    return Carried(tuple(taken), tuple(left))


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except _BROKEN:
        raise UsageError(
            f"{file} is no file of artifacts, or not a whole one",
            "name one that 'meshproof artifacts save' wrote, and see that it came whole",
        ) from None


def _checked(archive: zipfile.ZipFile, file: Path) -> dict[str, dict[str, Any]]:
    """The manifests of the entries, by digest, once everything was held against the index."""
    try:
        index = _Index.model_validate_json(archive.read(_INDEX))
    except (KeyError, ValidationError, *_BROKEN, OSError):
        raise UsageError(
            f"{file} is no file of artifacts of this version of meshproof",
            "name one that 'meshproof artifacts save' wrote",
        ) from None
    if sorted(archive.namelist()) != sorted([_INDEX, *index.sums]):
        raise ArtifactError(f"{file} does not hold what its index says", _INTO)
    for name, due in index.sums.items():
        try:
            with archive.open(name) as member:
                sound = _copied(member, None) == due
        except (*_BROKEN, OSError):
            sound = False
        if not sound:
            raise ArtifactError(f"{file} is damaged at {name}", _INTO)
    return {digest: _manifest(archive, digest, index.sums, file) for digest in index.entries}


def _manifest(
    archive: zipfile.ZipFile, digest: str, sums: Mapping[str, str], file: Path
) -> dict[str, Any]:
    """The manifest of an entry whose files are all there. Raises ArtifactError for one that is not
    what its digest names."""
    folder = f"objects/{digest}/"
    text = archive.read(f"{folder}{FILE}").decode(errors="replace") if folder + FILE in sums else ""
    manifest = parsed(text)
    if manifest is None or not isinstance(manifest.get("inputs"), dict):
        raise ArtifactError(f"{file} holds an entry without a manifest", _INTO)
    of = Recipe(manifest["recipe"], manifest["version"], manifest["inputs"])
    files = {folder + name: about["sha256"] for name, about in manifest["files"].items()}
    image = "reference" in manifest["facts"]
    whole = all(sums.get(name) == due for name, due in files.items())
    if of.digest != digest or not whole or (image and f"images/{digest}.tar" not in sums):
        raise ArtifactError(f"{file} holds {of}, and not as it was made", _INTO)
    return manifest


def _unpack(
    archive: zipfile.ZipFile, digest: str, manifest: Mapping[str, Any], engine: Engine, folder: Path
) -> dict[str, Any]:
    """Fill an entry's folder, and the engine; returns its facts."""
    for name in manifest["files"]:
        path, member = folder / name, archive.getinfo(f"objects/{digest}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as read, path.open("wb") as into:
            shutil.copyfileobj(read, into, _CHUNK)
        path.chmod(0o755 if (member.external_attr >> 16) & stat.S_IXUSR else 0o644)
    facts = dict(manifest["facts"])
    reference = facts.get("reference")
    if reference is not None:
        image = folder / "image.tar"
        with archive.open(f"images/{digest}.tar") as read, image.open("wb") as into:
            shutil.copyfileobj(read, into, _CHUNK)
        try:
            engine.load(image)
        except CommandError as error:
            raise ArtifactError(
                f"{engine.name} does not take {reference} ({error.cause})"
            ) from error
        image.unlink()
        found = engine.image_id(reference)
        if found is None:
            raise ArtifactError(f"{engine.name} took in another image than {reference}", _INTO)
        # An engine may number it anew: another version of it, or another storage.
        facts["image_id"] = found
    return facts


def _needs(manifest: Mapping[str, Any]) -> int:
    return int(sum(file["size"] for file in manifest["files"].values()))


def _copied(read: IO[bytes], into: IO[bytes] | None) -> str:
    """Copy, or only read; returns the sha256."""
    found = hashlib.sha256()
    while chunk := read.read(_CHUNK):
        found.update(chunk)
        if into is not None:
            into.write(chunk)
    return found.hexdigest()
