"""The source tree of an Istio that has every mutant in it, each of them off."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from meshproof.artifacts import catalog, check_tree, digests
from meshproof.artifacts.checkout import LEFT_OUT, identity
from meshproof.artifacts.gobuild import GoRecipe, go_recipe, module_folder, take
from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.artifacts.toolchain import find_toolchain
from meshproof.errors import ArtifactError
from meshproof.events import Recorder
from meshproof.model import Version
from meshproof.mutants.catalogue import Mutant
from meshproof.mutants.source import SWITCH, mutated_files, write_into
from meshproof.process import Shell
from meshproof.reading import file_errors

_MODULE = "istio.io/istio"
_TREE = "tree"
_NEEDS = 2**28
_OWN_LINE = re.compile(rf"^(module|(require )?[ \t]*{re.escape(_MODULE)}) .*\n", re.MULTILINE)


@dataclass(frozen=True)
class MutatedTree:
    """``folder``: to be built from as any checkout of Istio; ``fitting``: the mutants in it;
    ``unfit``: those whose lines the tree does not have, each with why."""

    folder: Path
    fitting: tuple[Mutant, ...]
    unfit: dict[str, str]


def from_modules(
    mutants: Sequence[Mutant], version: Version, store: Store, shell: Shell, recorder: Recorder
) -> MutatedTree:
    """The tree of an Istio version out of Go's module cache, with the go.mod that it is built by
    here. Raises ArtifactError when it cannot be had, or a mutant does not fit it."""
    built_by = go_recipe("istio", version)
    inputs = {"revision": 1, "modules": digests.of_folder(built_by.folder), **_inputs(mutants)}

    def make(folder: Path) -> None:
        go = catalog().companion("go")
        toolchain = find_toolchain(store, shell, recorder, go)
        source = folder / "source"
        shutil.copytree(built_by.folder, source)
        tree = folder / _TREE
        take(module_folder(source, _MODULE, toolchain, shell), tree)
        shutil.rmtree(source)
        _own_modules(tree, built_by, version)
        write_into(tree, mutated_files(tree, mutants))

    entry = _obtained(str(version), inputs, make, store, recorder)
    return MutatedTree(entry.file(_TREE), tuple(mutants), {})


def from_checkout(
    mutants: Sequence[Mutant], checkout: Path, store: Store, shell: Shell, recorder: Recorder
) -> MutatedTree:
    """A copy of somebody's own tree, with the mutants that fit it. Raises UsageError when
    ``checkout`` is no Istio."""
    check_tree(checkout)
    unfit = {one.id: why for one in mutants if (why := _why_unfit(checkout, one))}
    fitting = tuple(one for one in mutants if one.id not in unfit)
    inputs = {"revision": 1, "checkout": identity(checkout, shell), **_inputs(fitting)}

    def make(folder: Path) -> None:
        tree = folder / _TREE
        with file_errors(checkout, "the Istio source tree", doing="copy", error=ArtifactError):
            shutil.copytree(
                checkout, tree, ignore=shutil.ignore_patterns(*LEFT_OUT), copy_function=_copy
            )
        write_into(tree, mutated_files(tree, fitting))

    entry = _obtained("checkout", inputs, make, store, recorder)
    return MutatedTree(entry.file(_TREE), fitting, unfit)


def go_mod(text: str) -> str:
    """The go.mod by which Istio is built as a dependency, for Istio itself: it is the main module
    then, and neither required nor replaced."""
    return f"module {_MODULE}\n{_OWN_LINE.sub('', text)}"


def _why_unfit(tree: Path, mutant: Mutant) -> str:
    try:
        mutated_files(tree, [mutant])
    except ArtifactError as error:
        return error.cause
    return ""


def _own_modules(tree: Path, built_by: GoRecipe, version: Version) -> None:
    """Give the tree what its programs are otherwise built by, and its version."""
    text = (built_by.folder / "go.mod").read_text(encoding="utf-8")
    (tree / "go.mod").write_text(go_mod(text), encoding="utf-8")
    shutil.copyfile(built_by.folder / "go.sum", tree / "go.sum")
    (tree / "VERSION").write_text(f"{version}\n", encoding="utf-8")


def _inputs(mutants: Iterable[Mutant]) -> dict[str, object]:
    edits = {one.id: [edit.model_dump(mode="json") for edit in one.edits] for one in mutants}
    return {"edits": edits, "switch": SWITCH}


def _obtained(
    version: str,
    inputs: dict[str, object],
    make: Callable[[Path], None],
    store: Store,
    recorder: Recorder,
) -> Entry:
    return store.obtain(Recipe("istio-mutants", version, inputs, _NEEDS), make, recorder)


def _copy(source: str, target: str) -> str:
    shutil.copyfile(source, target)
    return target
