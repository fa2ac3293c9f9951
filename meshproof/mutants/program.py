"""An istiod that has every mutant in it, each of them off: one program, compiled once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from meshproof.artifacts import catalog, check_tree, checkout_version, digests
from meshproof.artifacts.checkout import LEFT_OUT, identity, linker_flags
from meshproof.artifacts.gobuild import compile_programs, go_recipe, module_folder, take
from meshproof.artifacts.store import Recipe, Store
from meshproof.artifacts.toolchain import (
    BUILD_ENVIRONMENT,
    BUILD_FLAGS,
    Toolchain,
    find_toolchain,
)
from meshproof.errors import ArtifactError
from meshproof.events import Recorder
from meshproof.model import Version
from meshproof.mutants.catalogue import Mutant, catalogue
from meshproof.mutants.source import SWITCH, mutated_files, write_into
from meshproof.process import Shell
from meshproof.reading import file_errors
from meshproof.run.session import Session

PROGRAM = "pilot-discovery"
_MODULE = "istio.io/istio"
_PACKAGE = f"pilot/cmd/{PROGRAM}"
_SOURCE, _TREE = "source", "istio"
_NEEDS = 4 * 2**30


@dataclass(frozen=True)
class Mutated:
    """``program``: what istiods run in place of their own; ``version``: of the Istio that it was
    made of, and says it is; ``fitting``: the mutants in it; ``unfit``: those whose lines that
    Istio does not have, each with why."""

    program: Path
    version: Version
    fitting: tuple[Mutant, ...]
    unfit: dict[str, str]


def program_for(session: Session, version: Version) -> Mutated:
    """The program for the labs of a session on which this Istio runs: of the tree that it was told
    of, or of that version. Raises as ``from_checkout`` and ``from_modules`` do."""
    tree, made_with = session.choices.checkout, (Store(), session.shell, session.recorder)
    with session.recorder.step("provide the istiod with mutants"):
        if tree is not None:
            return from_checkout(catalogue(), tree, *made_with)
        return from_modules(catalogue(), version, *made_with)


def from_modules(
    mutants: Sequence[Mutant], version: Version, store: Store, shell: Shell, recorder: Recorder
) -> Mutated:
    """The program of an Istio version out of Go's module cache. What the ordinary one is compiled
    of and no mutant changes is not compiled again. Raises ArtifactError when it cannot be had, or
    a mutant does not fit it."""
    built_by = go_recipe("istio", version)
    flags = built_by.linker_flags
    inputs = {"modules": digests.of_folder(built_by.folder), **_inputs(mutants, flags)}

    def make(folder: Path) -> None:
        toolchain = _toolchain(store, shell, recorder)
        source = folder / _SOURCE
        shutil.copytree(built_by.folder, source)
        tree = source / _TREE
        take(module_folder(source, _MODULE, toolchain, shell), tree)
        write_into(tree, mutated_files(tree, mutants))
        # Packages are known to Go's cache by the module and version that are required, so that
        # those without a mutant are those of the ordinary program.
        edit = ("mod", "edit", "-replace", f"{_MODULE}=./{_TREE}")
        shell.run([toolchain.go, *edit], cwd=source, env=toolchain.environment)
        package = (f"{_MODULE}/{_PACKAGE}",)
        compile_programs(source, folder, package, flags, toolchain, shell, recorder)
        shutil.rmtree(source)

    program = _obtained(str(version), inputs, make, store, recorder)
    return Mutated(program, version, tuple(mutants), {})


def from_checkout(
    mutants: Sequence[Mutant], checkout: Path, store: Store, shell: Shell, recorder: Recorder
) -> Mutated:
    """The program of somebody's own tree, with the mutants that fit it; the tree stays as it is.
    Raises UsageError when ``checkout`` is no Istio, ArtifactError when it cannot be compiled."""
    check_tree(checkout)
    version = checkout_version(checkout)
    unfit = {one.id: why for one in mutants if (why := _why_unfit(checkout, one))}
    fitting = tuple(one for one in mutants if one.id not in unfit)
    flags = linker_flags(version)
    inputs = {"checkout": identity(checkout, shell), **_inputs(fitting, flags)}

    def make(folder: Path) -> None:
        tree = folder / _SOURCE
        with file_errors(checkout, "the Istio source tree", doing="copy", error=ArtifactError):
            shutil.copytree(
                checkout, tree, ignore=shutil.ignore_patterns(*LEFT_OUT), copy_function=_copy
            )
        write_into(tree, mutated_files(tree, fitting))
        toolchain = _toolchain(store, shell, recorder)
        compile_programs(tree, folder, (f"./{_PACKAGE}",), flags, toolchain, shell, recorder)
        shutil.rmtree(tree)

    program = _obtained("checkout", inputs, make, store, recorder)
    return Mutated(program, version, fitting, unfit)


def _toolchain(store: Store, shell: Shell, recorder: Recorder) -> Toolchain:
    return find_toolchain(store, shell, recorder, catalog().companion("go"))


def _why_unfit(tree: Path, mutant: Mutant) -> str:
    try:
        mutated_files(tree, [mutant])
    except ArtifactError as error:
        return error.cause
    return ""


def _inputs(mutants: Iterable[Mutant], flags: str) -> dict[str, object]:
    """All that decides what the program is, but for the Istio itself: the store has a program for
    each."""
    return {
        "revision": 2,
        "edits": {one.id: [edit.model_dump(mode="json") for edit in one.edits] for one in mutants},
        "switch": SWITCH,
        "flags": [*BUILD_FLAGS, flags],
        "environment": BUILD_ENVIRONMENT,
        "go": catalog().companion("go"),
    }


def _obtained(
    version: str,
    inputs: dict[str, object],
    make: Callable[[Path], None],
    store: Store,
    recorder: Recorder,
) -> Path:
    recipe = Recipe("istio-mutants", version, inputs, _NEEDS)
    return store.obtain(recipe, make, recorder).file(PROGRAM)


def _copy(source: str, target: str) -> str:
    shutil.copyfile(source, target)
    return target
