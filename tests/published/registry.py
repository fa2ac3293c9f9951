"""distribution's registry on loopback, and images of archives pushed to it without any engine, so
that an engine has nothing of them when it pulls."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import requests

_CONFIG = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: "127.0.0.1:{port}", relativeurls: true}}
"""
_DOCKER = "application/vnd.docker"
_MANIFEST = f"{_DOCKER}.distribution.manifest.v2+json"
_CONFIGURATION = f"{_DOCKER}.container.image.v1+json"
_LAYER = f"{_DOCKER}.image.rootfs.diff.tar.gzip"
_SECONDS = 20.0


@dataclass(frozen=True)
class LoopbackRegistry:
    """A registry that speaks HTTP on this port of loopback."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def push(self, archive: Path, *, host: str) -> list[str]:
        """Push all images of an archive in Docker's format, by their names without ``host``;
        returns these."""
        pushed = []
        with tarfile.open(archive) as tar, tempfile.TemporaryDirectory() as scratch:
            members = {one.name: one for one in tar}
            for image in json.loads(_read(tar, members["manifest.json"]).read()):
                (reference,) = image["RepoTags"]
                name, _, tag = reference.removeprefix(f"{host}/").rpartition(":")
                config = _read(tar, members[image["Config"]]).read()
                layers = []
                for layer in image["Layers"]:
                    packed = Path(scratch) / "layer"
                    read = _read(tar, members[layer])
                    with gzip.open(packed, "wb", compresslevel=1) as into:
                        shutil.copyfileobj(read, into, 2**20)
                    with packed.open("rb") as file:
                        layers.append(self._blob(name, file, packed.stat().st_size, _LAYER))
                manifest = {
                    "schemaVersion": 2,
                    "mediaType": _MANIFEST,
                    "config": self._small(name, config),
                    "layers": layers,
                }
                answer = requests.put(
                    f"{self.url}/v2/{name}/manifests/{tag}",
                    data=json.dumps(manifest),
                    headers={"Content-Type": _MANIFEST},
                    timeout=60,
                )
                answer.raise_for_status()
                pushed.append(f"{name}:{tag}")
        return pushed

    def _small(self, name: str, content: bytes) -> dict[str, Any]:
        with tempfile.TemporaryFile() as file:
            file.write(content)
            return self._blob(name, file, len(content), _CONFIGURATION)

    def _blob(self, name: str, file: IO[bytes], size: int, kind: str) -> dict[str, Any]:
        file.seek(0)
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"  # type: ignore[arg-type]
        blobs = f"{self.url}/v2/{name}/blobs"
        if requests.head(f"{blobs}/{digest}", timeout=60).status_code != 200:
            begun = requests.post(f"{blobs}/uploads/", timeout=60)
            begun.raise_for_status()
            place = requests.compat.urljoin(self.url, begun.headers["Location"])
            file.seek(0)
            put = requests.put(
                place,
                params={"digest": digest},
                data=file,
                headers={"Content-Type": "application/octet-stream"},
                timeout=600,
            )
            put.raise_for_status()
        return {"mediaType": kind, "size": size, "digest": digest}


@contextmanager
def registry(program: Path, folder: Path) -> Iterator[LoopbackRegistry]:
    """The registry, as long as the block lasts. ``folder``: for what it holds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "registry.yaml"
    config.write_text(_CONFIG.format(root=folder / "held", port=port))
    # Else it sends traces to port 4318 of this machine, and says so when nobody is there.
    quiet = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([program, "serve", config], env=quiet, stdout=log, stderr=log)
    found = LoopbackRegistry(port)
    try:
        _await(found, process, folder / "registry.log")
        yield found
    finally:
        process.terminate()
        process.wait(10)


def _await(found: LoopbackRegistry, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if requests.get(f"{found.url}/v2/", timeout=2).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise SystemExit(f"the registry does not answer: {log.read_text()[-500:]}")


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(member)
    assert file is not None, member.name
    return file
