"""What a host manages its members by: Flux's two controllers, and the registry that their source
lies in. Compiled from modules with every source of artifacts, where a topology has a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from meshproof.artifacts.archive import Image, Item, Layer, write_archive
from meshproof.artifacts.catalog import catalog
from meshproof.artifacts.gobuild import GoRecipe, build_component, go_recipe
from meshproof.artifacts.images import OURS
from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.artifacts.toolchain import find_toolchain
from meshproof.engine import Engine
from meshproof.events import Recorder

KUSTOMIZE, SOURCE, REGISTRY = "kustomize-controller", "source-controller", "registry"
CONTROLLERS = (KUSTOMIZE, SOURCE)
_ARCHIVE = "images.tar"
_NOBODY = "65534:65534"


@dataclass(frozen=True, slots=True)
class HostArtifacts:
    """What a host's programs are installed from. ``archive``: their images, to be imported into
    nodes; ``images``: their names by program; ``kinds``: files with the kinds of objects that the
    controllers are told by; ``roles``: by controller, the file with what it must be able to do."""

    archive: Path
    images: Mapping[str, str]
    kinds: tuple[Path, ...]
    roles: Mapping[str, Path]


def provide_host(
    *, engine: Engine, recorder: Recorder, store: Store | None = None
) -> HostArtifacts:
    """What a host needs, made where it is not there. Raises ArtifactError."""
    maker = _Maker(engine, recorder, store or Store())
    flux, registry = maker.built("flux"), maker.built("registry")
    folders = [flux.folder / name for name in ("kustomize-kinds", "source-kinds")]
    return HostArtifacts(
        maker.packed(flux, registry).file(_ARCHIVE),
        references(),
        tuple(sorted(path for folder in folders for path in folder.glob("*.yaml"))),
        {
            KUSTOMIZE: flux.file("kustomize-role.yaml"),
            SOURCE: flux.file("source-role.yaml"),
        },
    )


def references() -> dict[str, str]:
    """What the images are called, by program."""
    versions = {**dict.fromkeys(CONTROLLERS, "flux"), REGISTRY: "registry"}
    known = catalog()
    return {name: f"{OURS}/{name}:{known.companion(of)}" for name, of in versions.items()}


def host_images(flux: Path, registry: Path) -> tuple[Image, ...]:
    """The images, of programs that were built into these folders: each has its program, and a
    folder for what is unpacked."""
    folders = {**dict.fromkeys(CONTROLLERS, flux), REGISTRY: registry}
    return tuple(
        Image(
            (reference,),
            (Layer({name: Item(source=folders[name] / name), "tmp": Item(mode=0o1777)}),),
            (f"/{name}",),
            _NOBODY,
        )
        for name, reference in references().items()
    )


@dataclass(frozen=True)
class _Maker:
    engine: Engine
    recorder: Recorder
    store: Store

    def built(self, component: str) -> Entry:
        """The programs of one folder of recipes."""
        recipe = _recipe_of(component)

        def make(folder: Path) -> None:
            go = catalog().companion("go")
            toolchain = find_toolchain(self.store, self.engine.shell, self.recorder, go)
            build_component(recipe, folder, toolchain, self.engine.shell, self.recorder)

        return self.store.obtain(recipe.recipe(catalog().companion("go")), make, self.recorder)

    def packed(self, flux: Entry, registry: Entry) -> Entry:
        """Their images in one archive."""
        parts = {"flux": flux.digest, "registry": registry.digest}
        inputs = {"revision": 1, "parts": parts, "images": references()}
        recipe = Recipe("host-images", catalog().companion("flux"), inputs, 2**30)

        def make(folder: Path) -> None:
            write_archive(host_images(flux.folder, registry.folder), folder / _ARCHIVE)

        return self.store.obtain(recipe, make, self.recorder)


def _recipe_of(component: str) -> GoRecipe:
    return go_recipe(component, catalog().companion(component))
