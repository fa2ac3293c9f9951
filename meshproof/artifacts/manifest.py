"""What an entry of the store says of itself: out of what it was made, and what files it holds."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from meshproof.artifacts import digests
from meshproof.errors import MeshproofError
from meshproof.reading import read_text

FILE = "manifest.json"
"""The name of a manifest in its entry's folder."""
_YEAR_10000 = 253_402_300_800
"""Seconds since the epoch. What comes later is no date that anybody can be told."""


class _File(BaseModel):
    model_config = ConfigDict(strict=True)
    size: Annotated[int, Field(ge=0)]
    sha256: str


class _Facts(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")
    reference: str | None = None
    image_id: str | None = None
    images: dict[str, str] | None = None


class _Manifest(BaseModel):
    """The fields that are relied on."""

    model_config = ConfigDict(strict=True, extra="allow")
    recipe: str
    version: str
    files: dict[str, _File]
    facts: _Facts
    created: Annotated[float, Field(ge=0, lt=_YEAR_10000)]


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of an entry; None when there is none, or it says what no manifest says."""
    try:
        return parsed(read_text(folder / FILE, "the manifest"))
    except MeshproofError:
        return None


def parsed(text: str) -> dict[str, Any] | None:
    """The manifest that a text is; None for a text that is none."""
    try:
        files = _Manifest.model_validate_json(text).files
        manifest: dict[str, Any] = json.loads(text)
    except ValueError:
        return None
    return manifest if all(map(_is_inside, files)) else None


def write_manifest(
    folder: Path, made_of: Mapping[str, Any], facts: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """Write the manifest of a finished entry, whose files cannot be written to from now on.

    ``made_of``: recipe, version and inputs; ``facts``: what its maker adds; ``seconds``: how
    long it took. Raises OSError.
    """
    files = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        executable = path.stat().st_mode & stat.S_IXUSR
        if not path.is_symlink():  # what a link leads to may be somebody else's
            path.chmod(0o555 if executable else 0o444)
        name = str(path.relative_to(folder))
        files[name] = {"size": path.stat().st_size, "sha256": digests.of_file(path)}
    manifest = {
        **made_of,
        "files": files,
        "facts": dict(facts),
        "seconds": round(seconds, 1),
        "created": time.time(),
    }
    _write_synced(folder / FILE, json.dumps(manifest, indent=1))
    return manifest


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
