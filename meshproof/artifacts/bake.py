"""Lets containerd unpack images in a container without network, and gives its state back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meshproof.artifacts.archive import Item, Layer, write_layer
from meshproof.artifacts.images import OURS, Programs
from meshproof.artifacts.store import Store
from meshproof.engine import Engine
from meshproof.events import Recorder
from meshproof.process import Finished, Shell
from meshproof.wait import eventually

BUILD_LABEL = "io.meshproof.build"
_NAME = "meshproof-bake-"
_STATE = "containerd"
# Pinned: kubelet never removes them. Nothing could pull them again.
_IMPORT = (
    *("images", "import", "--local", "--discard-unpacked-layers"),
    "--label=io.cri-containerd.pinned=pinned",
)


def unpacked_images(
    archive: Path, folder: Path, programs: Programs, engine: Engine, recorder: Recorder
) -> Path:
    """containerd's root folder with all images of ``archive`` unpacked in it.

    ``folder``: named after the digest that is being made; the result is in it.
    """
    state = folder / _STATE
    state.mkdir()
    with bake_container(folder.name, folder, programs, engine) as container:
        eventually(
            lambda: _inside(engine, container, "version", check=False).returncode == 0,
            what="containerd in the bake container",
            within=60,
            recorder=recorder,
        )
        _inside(engine, container, *_IMPORT, f"/work/{archive.name}")
        # Only the unpacked files are needed: the archive's layers go, at once.
        _inside(engine, container, "content", "prune", "references")
    return state


def _inside(engine: Engine, container: str, *words: str, check: bool = True) -> Finished:
    """Run containerd's client; there is no other program in the container."""
    argv = ("exec", container, "/ctr", "-n", "k8s.io", *words)
    return engine.command(*argv, check=check, timeout=1200)


@contextmanager
def bake_container(digest: str, work: Path, programs: Programs, engine: Engine) -> Iterator[str]:
    """A container with containerd in it and ``work`` at /work; nothing is left of it."""
    name, image = f"{_NAME}{digest[:12]}", f"{OURS}/bake:{digest[:12]}"
    remove_leftovers(digest, engine)
    layer = work / "bake.tar"
    items = {name: Item(source=programs.containerd / name) for name in ("containerd", "ctr")}
    write_layer(Layer({**items, "tmp": Item(mode=0o1777), "work": Item()}), layer)
    try:
        engine.import_rootfs(layer, image, ['ENTRYPOINT ["/containerd"]'])
        layer.unlink()
        options = ["--privileged", "--network", "none", "--label", f"{BUILD_LABEL}={digest}"]
        root = ["--root", f"/work/{_STATE}", "--log-level", "warn"]
        engine.run_detached(name, image, [*options, "-v", f"{work}:/work"], *root)
        yield name
        # Ended politely, containerd leaves its database complete.
        engine.command("stop", "-t", "10", name)
    finally:
        remove_leftovers(digest, engine)


def remove_leftovers(digest: str, engine: Engine) -> None:
    """Remove the container and the image that making ``digest`` takes.

    Also after the run was called off, when the engine's own shell starts no program any more.
    """
    if engine.shell.cancelled:
        engine = type(engine)(Shell(engine.shell.recorder, engine.shell.env))
    name = f"{_NAME}{digest[:12]}"
    if name in [container.name for container in engine.containers()]:
        engine.remove_containers([name])
    engine.remove_image(f"{OURS}/bake:{digest[:12]}")


def remove_abandoned(store: Store, engine: Engine) -> None:
    """Remove what killed builds left: containers, images and temporary folders.

    Only what no living process is making: the store's locks tell.
    """
    left = {container.labels.get(BUILD_LABEL) for container in engine.containers()}
    temporary = store.scratch("tmp")
    for digest in {digest for digest in left if digest} | {
        path.name for path in temporary.iterdir()
    }:
        with store.unless_busy(digest) as idle:
            if idle:
                remove_leftovers(digest, engine)
                shutil.rmtree(temporary / digest, ignore_errors=True)
