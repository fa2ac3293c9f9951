"""Writes images as archives in Docker's format; the same content gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a layer: a file (``source`` or ``content``), a symlink, or a folder."""

    source: Path | None = None
    content: bytes | None = None
    link: str | None = None
    mode: int = 0o755
    owner: int = 0


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer: path without leading slash -> what is there. Missing folders are added."""

    items: Mapping[str, Item]


@dataclass(frozen=True, slots=True)
class Image:
    """An image. ``user``: as in a Dockerfile; ``path``: the value of PATH."""

    references: tuple[str, ...]
    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def config(self, diff_ids: Sequence[str]) -> bytes:
        """The image's configuration as JSON."""
        path = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        environment = {**path, **self.environment}
        return _json(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {
                    "Entrypoint": list(self.entrypoint) or None,
                    "User": self.user,
                    "Env": [f"{name}={value}" for name, value in environment.items()],
                    "WorkingDir": "/",
                },
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{one}" for one in diff_ids]},
            }
        )


def write_archive(images: Sequence[Image], archive: Path) -> None:
    """Write all images into one archive, each layer once. Needs no engine.

    The format: moby's image specification v1.2, "combined image JSON + filesystem changeset".
    """
    written: dict[int, str] = {}
    blobs: set[str] = set()
    manifest = []
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
        for image in images:
            diff_ids = []
            for layer in image.layers:
                if id(layer) not in written:
                    written[id(layer)] = _add_layer(tar, layer, archive.parent, blobs)
                diff_ids.append(written[id(layer)])
            config = image.config(diff_ids)
            name = f"{hashlib.sha256(config).hexdigest()}.json"
            if name not in blobs:
                blobs.add(name)
                _add_bytes(tar, name, config)
            layers = [f"{one}/layer.tar" for one in diff_ids]
            manifest.append({"Config": name, "RepoTags": list(image.references), "Layers": layers})
        _add_bytes(tar, "manifest.json", _json(manifest))


def write_layer(layer: Layer, path: Path) -> str:
    """Write a layer's tar and return its sha256, which is its diff id."""
    items = {**{folder: Item() for folder in _folders(layer.items)}, **layer.items}
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted(items):
            _add_item(tar, name, items[name])
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _add_layer(tar: tarfile.TarFile, layer: Layer, scratch: Path, blobs: set[str]) -> str:
    temporary = scratch / "layer.tar"
    digest = write_layer(layer, temporary)
    if digest not in blobs:
        blobs.add(digest)
        info = _info(f"{digest}/layer.tar", 0o644)
        info.size = temporary.stat().st_size
        with temporary.open("rb") as file:
            tar.addfile(info, file)
    temporary.unlink()
    return digest


def _add_item(tar: tarfile.TarFile, name: str, item: Item) -> None:
    info = _info(name, item.mode, item.owner)
    if item.link is not None:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, item.link, 0o777
        tar.addfile(info)
    elif item.source is not None:
        info.size = item.source.stat().st_size
        with item.source.open("rb") as file:
            tar.addfile(info, file)
    elif item.content is not None:
        info.size = len(item.content)
        tar.addfile(info, io.BytesIO(item.content))
    else:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    _add_item(tar, name, Item(content=content, mode=0o644))


def _info(name: str, mode: int, owner: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode, info.mtime, info.uid, info.gid = mode, 0, owner, owner
    return info


def _folders(items: Mapping[str, Item]) -> set[str]:
    parents = {str(parent) for name in items for parent in Path(name).parents}
    return parents - {"."} - set(items)


def _json(data: object) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
