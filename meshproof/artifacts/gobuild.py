"""Builds one component's Go programs from its committed go.mod."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from meshproof.artifacts import digests
from meshproof.artifacts.catalog import RECIPES
from meshproof.artifacts.store import Recipe
from meshproof.artifacts.toolchain import BUILD_ENVIRONMENT, BUILD_FLAGS, Toolchain
from meshproof.errors import ArtifactError, CommandError
from meshproof.events import Recorder
from meshproof.process import Shell

_TIMEOUT = 7200.0
_EVENT_EVERY = 0.5
_NEEDS = 8 * 2**30


@dataclass(frozen=True, slots=True)
class GoRecipe:
    """One folder of recipes: what to compile, and what to take from its modules besides.

    ``packages``: main packages. ``variables``: set by the linker (-X). ``programs``: new names
    of programs. ``files`` and ``folders``: our name -> (module, path in it).
    """

    component: str
    version: str
    folder: Path
    packages: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    folders: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def linker_flags(self) -> str:
        """The value of -ldflags."""
        return " ".join(["-s -w", *(f"-X {key}={value}" for key, value in self.variables.items())])

    def recipe(self, go: str) -> Recipe:
        """The recipe, for Go version ``go``: every input that can change the programs."""
        inputs = {
            "revision": 1,
            "folder": digests.of_folder(self.folder),
            "flags": [*BUILD_FLAGS, self.linker_flags],
            "environment": BUILD_ENVIRONMENT,
            "go": go,
        }
        return Recipe(self.component, self.version, inputs, _NEEDS)


def go_recipe(component: str, version: object) -> GoRecipe:
    """Read ``recipes/<component>/<version>``. Raises FileNotFoundError for an unknown one."""
    folder = RECIPES / component / str(version)
    data = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
    return GoRecipe(
        component=component,
        version=str(version),
        folder=folder,
        packages=tuple(data["packages"]),
        variables=data.get("variables", {}),
        programs=data.get("programs", {}),
        files={name: (module, path) for name, (module, path) in data.get("files", {}).items()},
        folders={name: (module, path) for name, (module, path) in data.get("folders", {}).items()},
    )


def build_component(
    recipe: GoRecipe, folder: Path, toolchain: Toolchain, shell: Shell, recorder: Recorder
) -> None:
    """Compile into ``folder``. Raises ArtifactError with what the compiler said."""
    source = folder / "source"
    shutil.copytree(recipe.folder, source)
    compile_programs(
        source, folder, recipe.packages, recipe.linker_flags, toolchain, shell, recorder
    )
    for old, new in recipe.programs.items():
        (folder / old).rename(folder / new)
    for wanted in (recipe.files, recipe.folders):
        for name, (module, path) in wanted.items():
            take(module_folder(source, module, toolchain, shell) / path, folder / name)
    shutil.rmtree(source)


def take_files(
    recipe: GoRecipe,
    files: Mapping[str, tuple[str, str]],
    folder: Path,
    go: Toolchain,
    shell: Shell,
) -> None:
    """Copy files of a component's modules into ``folder``, without compiling anything.

    ``files``: our name -> (module, path in it). Raises ArtifactError when a module cannot be had.
    """
    source = folder / "source"
    shutil.copytree(recipe.folder, source)
    for name, (module, path) in files.items():
        take(module_folder(source, module, go, shell) / path, folder / name)
    shutil.rmtree(source)


def compile_programs(
    source: Path,
    target: Path,
    packages: tuple[str, ...],
    linker_flags: str,
    toolchain: Toolchain,
    shell: Shell,
    recorder: Recorder,
) -> None:
    """Compile main packages of the module in ``source`` into the folder ``target``."""
    environment = toolchain.environment
    what = f"compile {' '.join(package.rsplit('/', 1)[-1] for package in packages)}"
    try:
        listed = shell.run(
            [toolchain.go, "list", "-deps", *packages],
            cwd=source,
            env=environment,
            timeout=_TIMEOUT,
        )
        on_line = _progress(recorder, what, len(listed.stdout.split()))
        shell.run(
            [
                *(toolchain.go, "build", "-v", *BUILD_FLAGS, f"-ldflags={linker_flags}"),
                *("-o", f"{target}/", *packages),
            ],
            cwd=source,
            env=environment,
            timeout=_TIMEOUT,
            on_stderr_line=on_line,
        )
    except CommandError as error:
        if "no space left on device" in error.stderr.lower():
            raise
        raise ArtifactError(
            f"Go could not {what} ({_tail(error.stderr)})",
            "check that the Go module proxy can be reached (GOPROXY), or choose "
            "'--artifacts published'",
        ) from error


def _progress(recorder: Recorder, step: str, total: int) -> Callable[[str], None]:
    """Counts the packages that Go says it compiles; those in its cache it does not name."""
    seen = [0, 0.0]

    def on_line(line: str) -> None:
        if " " in line:
            return
        seen[0] += 1
        now = time.monotonic()
        if now - seen[1] >= _EVENT_EVERY:
            seen[1] = now
            recorder.emit("progress", step=step, done=int(seen[0]), of=total)

    return on_line


def module_folder(source: Path, module: str, toolchain: Toolchain, shell: Shell) -> Path:
    """Where Go's module cache has a module in the version that ``source``'s go.mod names, after
    replacement; fetched when it is not there. Raises ArtifactError."""
    listed = shell.run(
        [toolchain.go, "mod", "download", "-json", module],
        cwd=source,
        env={**toolchain.environment, "GOFLAGS": "-mod=mod"},
        check=False,
    )
    described: dict[str, Any] = json.loads(listed.stdout or "{}")
    if "Dir" not in described:
        raise ArtifactError(f"module {module} cannot be had ({listed.stderr.strip()[:200]})")
    return Path(described["Dir"])


def take(source: Path, target: Path) -> None:
    """Copy a file or folder out of the module cache, whose own are read-only."""
    if source.is_dir():
        shutil.copytree(source, target)
        for path in (target, *target.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    else:
        shutil.copyfile(source, target)


def _tail(text: str) -> str:
    lines = [line for line in text.splitlines() if " " in line.strip()]
    return " / ".join(lines[-3:])[-400:] or "no message"
