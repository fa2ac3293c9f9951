"""Lets containerd unpack images in a container without network, and gives its state back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meshproof.artifacts.archive import Item, Layer, write_layer
from meshproof.artifacts.images import OURS, Programs
from meshproof.artifacts.store import Store
from meshproof.engine import Container, Engine
from meshproof.events import Recorder
from meshproof.process import Finished, Shell
from meshproof.wait import eventually

BUILD_LABEL = "io.meshproof.build"
_WORK_LABEL = "io.meshproof.work"
"""The folder that a bake works in: another store may make the same digest."""
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
    remove_leftovers(digest, engine, work)
    layer = work / "bake.tar"
    items = {name: Item(source=programs.containerd / name) for name in ("containerd", "ctr")}
    write_layer(Layer({**items, "tmp": Item(mode=0o1777), "work": Item()}), layer)
    try:
        engine.import_rootfs(layer, image, ['ENTRYPOINT ["/containerd"]'])
        layer.unlink()
        options = ["--privileged", "--network", "none", "--label", f"{BUILD_LABEL}={digest}"]
        options += ["--label", f"{_WORK_LABEL}={work}"]
        root = ["--root", f"/work/{_STATE}", "--log-level", "warn"]
        engine.run_detached(name, image, [*options, "-v", f"{work}:/work"], *root)
        yield name
        # Ended politely, containerd leaves its database complete.
        engine.command("stop", "-t", "10", name)
    finally:
        remove_leftovers(digest, engine, work)


def remove_leftovers(digest: str, engine: Engine, work: Path | None = None) -> list[str]:
    """Remove the container and the image that making ``digest`` takes; returns their names.

    ``work``: the folder that it is made in; a container that works in another one stays. Also
    after the run was called off, when the engine's own shell starts no program any more.
    """
    if engine.shell.cancelled:
        engine = type(engine)(Shell(engine.shell.recorder, engine.shell.env))
    mine = [one.name for one in engine.containers() if _is_bake(one, digest, work)]
    engine.remove_containers(mine)
    image = f"{OURS}/bake:{digest[:12]}"
    had = engine.image_id(image) is not None
    gone = had and engine.remove_image(image)
    return [f"container {name}" for name in mine] + ([f"image {image}"] if gone else [])


def remove_abandoned(store: Store, engine: Engine) -> list[str]:
    """Remove what killed builds of a store left: containers, images and temporary folders.

    Only what no living process is making: the store's locks tell. Returns the names of what
    went, and records them.
    """
    gone: list[str] = []
    for work in store.unfinished():
        with store.unless_busy(work.name) as idle:
            if idle:
                gone += remove_unfinished(store, engine, work)
    if gone:
        engine.shell.recorder.emit("removed", store=str(store.root), what=gone)
    return gone


def remove_unfinished(store: Store, engine: Engine, work: Path) -> list[str]:
    """Remove what a build left that worked in a folder; the caller sees to it that it has ended.

    The folder goes last: by it a later attempt knows what container is this store's.
    """
    gone = remove_leftovers(work.name, engine, work)
    store.remove_unfinished(work.name)
    return [*gone, f"folder {work}"]


def _is_bake(container: Container, digest: str, work: Path | None) -> bool:
    """A container that was half made when its maker was killed has no label yet."""
    labels = container.labels
    if container.name != f"{_NAME}{digest[:12]}":
        return False
    wanted = str(work or labels.get(_WORK_LABEL))
    return not labels or (
        labels.get(BUILD_LABEL) == digest and labels.get(_WORK_LABEL, wanted) == wanted
    )
