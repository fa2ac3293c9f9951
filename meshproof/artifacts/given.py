"""Images out of archives that somebody else wrote, for machines that no registry is reached from.

The format is Docker's (``docker save``, ``podman save``, ``ctr images export``): ``manifest.json``
names images, configurations and layers (moby's image specification v1.2).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import tarfile
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from meshproof.errors import UsageError
from meshproof.reading import file_errors

_MANIFEST = "manifest.json"
_LARGEST = 2**24
"""Bytes of a manifest or an image's configuration at most."""
_BROKEN = (tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError)
_WRITE = "write it by 'docker save' or 'podman save -m', and see that it came whole"
_SHOWN = 4


class _Image(BaseModel):
    model_config = ConfigDict(strict=True)
    config: Annotated[str, Field(alias="Config")]
    tags: Annotated[list[str] | None, Field(alias="RepoTags")] = None
    layers: Annotated[list[str], Field(alias="Layers")]


_IMAGES = TypeAdapter(list[_Image])


@dataclass(frozen=True, slots=True)
class Given:
    """An image that an archive holds. ``id``: the sha256 of its configuration, by which engines
    know it."""

    archive: Path
    id: str


def images_in(archives: Iterable[Path]) -> dict[str, Given]:
    """The images of archives, by their names with registry and tag.

    Raises UsageError for a file that is no such archive, or not a whole one, and for two images of
    one name.
    """
    found: dict[str, Given] = {}
    for archive in archives:
        for name, number in _read(archive).items():
            before = found.setdefault(name, Given(archive, number))
            if before.id != number:
                raise UsageError(
                    f"{before.archive} and {archive} hold different images called {name}",
                    "leave one of them out",
                )
    return found


def check_given(archives: Collection[Path], needed: Collection[str]) -> None:
    """Raise UsageError for archives that are none, or that hold no image that is needed."""
    if not archives:
        return
    found = images_in(archives)
    by_id: dict[str, str] = {}
    for name in sorted(found.keys() & set(needed)):
        other = by_id.setdefault(found[name].id, name)
        if other != name:
            raise UsageError(
                f"{found[name].archive} holds one image called both {other} and {name}",
                "write it by 'podman save --multi-image-archive', without which further names are "
                "those of the first image",
            )
    for archive in archives:
        names = [name for name, one in found.items() if one.archive == archive]
        if not names or set(names).isdisjoint(needed):
            more = " …" if len(names) > _SHOWN else ""
            held = ", ".join(sorted(names)[:_SHOWN]) + more if names else "no image with a name"
            raise UsageError(
                f"{archive} holds {held}, and what is needed is {', '.join(sorted(needed))}",
                "name the images by --hub, --tag and --istio as the archive calls them, or leave "
                "the archive out",
            )


def whole_name(name: str) -> str:
    """A name as engines write it, with its registry: docker leaves its own out
    (https://github.com/distribution/reference/blob/main/normalize.go)."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def _read(archive: Path) -> dict[str, str]:
    """By name the ids of an archive's images, once everything that they name was seen in it."""
    with file_errors(archive, "an archive of images", error=UsageError):
        try:
            with tarfile.open(archive) as tar:
                members = {one.name.removeprefix("./"): one for one in tar}
                images = _IMAGES.validate_json(_content(tar, members, _MANIFEST))
                return {
                    whole_name(tag): _id(tar, members, image)
                    for image in images
                    for tag in image.tags or ()
                }
        except (KeyError, ValidationError):
            raise UsageError(
                f"{archive} is no archive of images in Docker's format, or not a whole one", _WRITE
            ) from None
        except _BROKEN:
            raise UsageError(f"{archive} is no archive, or not a whole one", _WRITE) from None


def _id(tar: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo], image: _Image) -> str:
    """Raises KeyError where a layer, or the configuration that its name says, is missing."""
    for layer in image.layers:
        _ = members[layer]
    content = _content(tar, members, image.config)
    number = hashlib.sha256(content).hexdigest()
    if number not in image.config:
        raise KeyError(image.config)
    json.loads(content)
    return f"sha256:{number}"


def _content(tar: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo], name: str) -> bytes:
    file = tar.extractfile(members[name]) if members[name].size <= _LARGEST else None
    if file is None:
        raise KeyError(name)
    return file.read()
