"""The programs of our own: made once, for this machine and for the image of what runs in clusters;
and that image pushed, for clusters whose nodes do not hold it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from meshproof.artifacts.archive import Image, write_archive
from meshproof.artifacts.catalog import catalog
from meshproof.artifacts.gobuild import GoRecipe, build_component, go_recipe
from meshproof.artifacts.images import workload_image
from meshproof.artifacts.refusals import explained
from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.artifacts.toolchain import find_toolchain
from meshproof.engine import Engine
from meshproof.errors import CommandError
from meshproof.events import Recorder

_NAME = "meshproof-workload"


def workload_recipe() -> Recipe:
    """The recipe of the programs."""
    return _go_recipe().recipe(catalog().companion("go"))


def workload_programs(
    store: Store, engine: Engine, recorder: Recorder, used: tuple[str, ...] | None = None
) -> Entry:
    """The programs, made where they are not there. ``used``: the files to verify. Raises
    ArtifactError."""

    def make(folder: Path) -> None:
        go = catalog().companion("go")
        toolchain = find_toolchain(store, engine.shell, recorder, go)
        build_component(_go_recipe(), folder, toolchain, engine.shell, recorder)

    return store.obtain(workload_recipe(), make, recorder, used=used)


def push_workload(registry: str, store: Store, engine: Engine, recorder: Recorder) -> str:
    """Push the image of the programs; returns its name by digest, as pods pull it.

    ``registry``: with its path, as in "registry.example/me". The image's tag is what it was made
    of: another one is never written over. Nothing of it stays in the engine that was not there.
    Raises ArtifactError.
    """
    programs = workload_programs(store, engine, recorder)
    name = f"{registry.rstrip('/')}/{_NAME}"
    reference = f"{name}:{programs.digest[:16]}"
    was_there = engine.image_id(reference) is not None
    image = Image((reference,), workload_image(programs.folder).layers)
    with (
        recorder.step("push the workloads' image", image=reference),
        tempfile.TemporaryDirectory(prefix="meshproof-") as scratch,
    ):
        archive = Path(scratch) / "workload.tar"
        write_archive([image], archive)
        try:
            engine.load(archive)
            digest = engine.push(reference)
        except CommandError as error:
            raise explained(reference, engine.name, error, doing="pushed") from error
        finally:
            if not was_there:
                engine.remove_image(reference)
    return f"{name}@{digest}"


def _go_recipe() -> GoRecipe:
    return go_recipe("workloads", catalog().companion("workloads"))
