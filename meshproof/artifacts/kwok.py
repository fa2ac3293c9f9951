"""kwok, whose nodes and pods are objects alone (https://kwok.sigs.k8s.io): built when load is asked
for, and never otherwise."""

from __future__ import annotations

from pathlib import Path

from meshproof.artifacts.catalog import catalog
from meshproof.artifacts.gobuild import build_component, go_recipe
from meshproof.artifacts.store import Store
from meshproof.artifacts.toolchain import find_toolchain
from meshproof.events import Recorder
from meshproof.process import Shell


def provide_kwok(shell: Shell, recorder: Recorder, store: Store | None = None) -> Path:
    """The folder with the program ``kwok``, and with the stages of its nodes and pods. Raises
    ArtifactError."""
    store, known = store or Store(), catalog()
    recipe, go = go_recipe("kwok", known.companion("kwok")), known.companion("go")

    def make(folder: Path) -> None:
        toolchain = find_toolchain(store, shell, recorder, go)
        build_component(recipe, folder, toolchain, shell, recorder)

    return store.obtain(recipe.recipe(go), make, recorder).folder
