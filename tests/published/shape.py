"""Images as their projects publish them, made of what was built here.

Istio's are what pilot/docker/Dockerfile.pilot and Dockerfile.proxyv2 of its module make; the node
image is what kind's own build leaves (pkg/build/nodeimage in its module): kind's configuration of
containerd, Kubernetes' images imported and not unpacked, and nothing of ours.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from meshproof.artifacts.archive import Image, Layer, write_archive
from meshproof.artifacts.debian import unpack_root
from meshproof.artifacts.images import OURS, Programs, image_set, kubeadm_names
from meshproof.artifacts.node import install
from meshproof.engine import Engine
from meshproof.wait import eventually

_CHANGES = (
    "ENV container=docker",
    'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]',
    "STOPSIGNAL SIGRTMIN+3",
)
_BASE, _CONTAINER = f"{OURS}/published-base:1", "meshproof-published"
_IMPORT = (
    *("ctr", "--namespace=k8s.io", "images", "import", "--label=io.cri-containerd.pinned=pinned"),
    *("--all-platforms", "--no-unpack", "--digests"),
)
_NOT_ISTIOS = re.compile(r"etc/istio/.*|var/lib/istio/data")
"""Folders that images of ours have, and that pods are given as volumes."""


@dataclass(frozen=True)
class Shaped:
    """Archives in Docker's format. ``node`` and ``istio``: of images with public names; ``mine``:
    the same Istio under a company's."""

    node: Path
    istio: Path
    mine: Path


def shaped(
    folder: Path,
    kubernetes: str,
    programs: Programs,
    debian: Path,
    engine: Engine,
    *,
    node: str,
    hub: str,
    tag: str,
) -> Shaped:
    """Make all of them in ``folder``. ``kubernetes``: the version that ``programs`` are of;
    ``debian``: the archive of the root file system; ``node``: the node image's public name, which
    may be of a neighbouring version; ``hub`` and ``tag``: those of the private build."""
    root = folder / "root"
    unpack_root(debian, root, engine.shell)
    names = kubeadm_names(programs.kubernetes / "kubeadm", kubernetes, engine.shell)
    images = image_set(programs, root, names, engine.shell).images
    istios = [_istios(one) for one in images if _is_istios(one)]
    found = Shaped(folder / "node.tar", folder / "istio.tar", folder / "mine.tar")
    write_archive(istios, found.istio)
    write_archive([_renamed(one, hub, tag) for one in istios], found.mine)
    install(root, kubernetes, programs, engine)
    config = (root / "etc/containerd/config.toml").read_text(encoding="utf-8")
    pause = re.findall(r'sandbox_image\s+=\s+"([^\n]+)"', config)[0]
    of_kubernetes = [
        replace(one, references=(pause,)) if one.references == (names["pause"],) else one
        for one in images
        if not one.references[0].startswith(OURS)
    ]
    write_archive(of_kubernetes, folder / "kubernetes.tar")
    _node(folder, root, node, engine, found.node)
    return found


def _is_istios(image: Image) -> bool:
    return bool(re.fullmatch(rf"{OURS}/(pilot|proxyv2):.*", image.references[0]))


def _istios(image: Image) -> Image:
    """Of the project's Dockerfiles: pilot runs as 1337, the proxy as its pod says."""
    reference = image.references[0].replace(OURS, "docker.io/istio", 1)
    layers = tuple(
        Layer({name: one for name, one in layer.items.items() if not _NOT_ISTIOS.fullmatch(name)})
        for layer in image.layers
    )
    if "/pilot:" in reference:
        return replace(image, references=(reference,), layers=layers)
    return replace(
        image,
        references=(reference,),
        layers=layers,
        user="",
        environment={"ISTIO_META_ISTIO_PROXY_SHA": "0" * 40},
    )


def _renamed(image: Image, hub: str, tag: str) -> Image:
    name = image.references[0].rpartition("/")[2].partition(":")[0]
    return replace(image, references=(f"{hub}/{name}:{tag}",))


def _node(folder: Path, root: Path, reference: str, engine: Engine, archive: Path) -> None:
    """Commit the node image as kind does, write it into an archive, and leave nothing of it in the
    engine."""
    packed = folder / "base.tar"
    engine.shell.run(["tar", "--numeric-owner", "-C", str(root), "-cf", str(packed), "."])
    shutil.rmtree(root)
    if any(one.name == _CONTAINER for one in engine.containers()):
        engine.remove_containers([_CONTAINER])  # of an attempt that was killed
    with _images_gone(engine, _BASE, reference):
        engine.import_rootfs(packed, _BASE, _CHANGES)
        packed.unlink()
        try:
            options = ["--privileged", "--network", "none", "--entrypoint", "sleep"]
            engine.run_detached(
                _CONTAINER, _BASE, [*options, "-v", f"{folder}:/images"], "infinity"
            )
            engine.command("exec", "-d", _CONTAINER, "containerd")
            eventually(
                lambda: engine.exec(_CONTAINER, ["ctr", "version"], check=False).returncode == 0,
                what="containerd",
                within=60,
            )
            engine.exec(_CONTAINER, [*_IMPORT, "/images/kubernetes.tar"], timeout=600)
            engine.exec(_CONTAINER, ["pkill", "containerd"])
            engine.commit(_CONTAINER, reference, _CHANGES)
        finally:
            engine.remove_containers([_CONTAINER])
        engine.save([reference], archive)


@contextmanager
def _images_gone(engine: Engine, *references: str) -> Iterator[None]:
    try:
        yield
    finally:
        for reference in references:
            engine.remove_image(reference)
