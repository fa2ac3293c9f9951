"""The source "checkout": Istio from a local tree, everything else from modules."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from meshproof.artifacts import digests
from meshproof.artifacts.built import Istio
from meshproof.artifacts.bundle import Wanted
from meshproof.artifacts.catalog import catalog
from meshproof.artifacts.gobuild import compile_programs
from meshproof.artifacts.machine import PACKAGING, PACKAGING_FOLDER
from meshproof.artifacts.store import Recipe
from meshproof.artifacts.toolchain import BUILD_ENVIRONMENT, BUILD_FLAGS, Toolchain
from meshproof.engine import Engine
from meshproof.errors import UsageError
from meshproof.events import Recorder
from meshproof.model import Version
from meshproof.process import Shell
from meshproof.reading import file_errors, read_text

_PACKAGES = ("./pilot/cmd/pilot-discovery", "./pilot/cmd/pilot-agent", "./istioctl/cmd/istioctl")
_BOOTSTRAP = Path("tools/packaging/common/envoy_bootstrap.json")
_EMBEDDED = {".go", ".mod", ".sum", ".yaml", ".json", ".tmpl", ".tpl"}
LEFT_OUT = {".git", "node_modules", "out"}
"""What lies in a tree and is no part of its programs."""
_MODULE = re.compile(r"^module istio\.io/istio$", re.MULTILINE)


def identity(tree: Path, shell: Shell) -> str:
    """What the tree's programs depend on: git's HEAD, the changes since, and untracked files.

    A tree without git is identified by the contents of the files that Go reads.
    """
    if not (tree / ".git").exists():
        return digests.of_inputs(
            {str(path.relative_to(tree)): digests.of_file(path) for path in _read_by_go(tree)}
        )
    git = ["git", "-C", str(tree)]
    untracked = shell.run([*git, "ls-files", "-z", "--others", "--exclude-standard"]).stdout
    names = sorted(name for name in untracked.split("\0") if name and (tree / name).is_file())
    return digests.of_inputs(
        {
            "head": shell.run([*git, "rev-parse", "HEAD"]).stdout.strip(),
            "changes": shell.run([*git, "diff", "--no-ext-diff", "--binary", "HEAD"]).stdout,
            "untracked": {name: digests.of_file(tree / name) for name in names},
        }
    )


def istio_from_checkout(tree: Path, wanted: Wanted, engine: Engine, recorder: Recorder) -> Istio:
    """The Istio of a source tree. Raises UsageError when ``tree`` is none."""
    check_tree(tree)
    name = identity(tree, engine.shell)
    version = tree_version(tree, name)
    known = catalog()
    flags = linker_flags(version)
    go = known.companion("go")
    inputs = {
        "revision": 1,
        "tree": name,
        "flags": [*BUILD_FLAGS, flags],
        "environment": BUILD_ENVIRONMENT,
        "go": go,
    }

    def make(folder: Path, toolchain: Toolchain) -> None:
        compile_programs(tree, folder, _PACKAGES, flags, toolchain, engine.shell, recorder)
        template = (tree / _BOOTSTRAP).read_bytes()
        (folder / "envoy_bootstrap_tmpl.json").write_bytes(template)

    def take(folder: Path, _: Toolchain) -> None:
        for one in PACKAGING:
            (folder / one).write_bytes((tree / PACKAGING_FOLDER / one).read_bytes())

    envoy = str(wanted.envoy or known.companion("istio", known.istio[-1], "envoy"))
    recipe = Recipe("istio-checkout", str(version), inputs, 8 * 2**30)
    return Istio(version, envoy, recipe, make, take)


def linker_flags(version: Version) -> str:
    """The value of -ldflags by which Istio's programs say that they are of this version."""
    return f"-s -w -X istio.io/istio/pkg/version.buildVersion={version}"


def checkout_version(tree: Path) -> Version:
    """The version that the programs of an Istio source tree will say they are.

    Raises UsageError when ``tree`` is none.
    """
    check_tree(tree)
    return tree_version(tree, identity(tree, Shell()))


def tree_version(tree: Path, name: str) -> Version:
    """The version that the tree says it will become, marked with its identity ``name``."""
    version = tree / "VERSION"
    said = read_text(version, "the file", error=UsageError) if version.is_file() else "0.0"
    numbers = [*re.findall(r"\d+", said), "0", "0", "0"][:3]
    return Version.parse(f"{'.'.join(numbers)}-checkout.{name[:12]}")


def check_tree(tree: Path) -> None:
    """Raise UsageError for what is no Istio source tree."""
    module, remedy = tree / "go.mod", "let --checkout name the top folder of a clone of Istio"
    with file_errors(module, "the file", remedy=remedy, error=UsageError):
        there = stat.S_ISREG(module.stat().st_mode) if os.path.lexists(module) else False
    if not there or not _MODULE.search(
        read_text(module, "the file", remedy=remedy, error=UsageError)
    ):
        raise UsageError(
            f"{tree} is no Istio source tree (its go.mod does not say 'module istio.io/istio')",
            remedy,
        )


def _read_by_go(tree: Path) -> Iterator[Path]:
    for path in sorted(tree.rglob("*")):
        relative = path.relative_to(tree)
        if path.suffix in _EMBEDDED and path.is_file() and not LEFT_OUT & set(relative.parts):
            yield path
    if (tree / "VERSION").is_file():
        yield tree / "VERSION"
