"""Docker Engine of a newer Debian release, unpacked into a folder and not installed: this
distribution's own does not start nodes on cgroups v1."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from meshproof.artifacts.debian import mirror
from meshproof.environment import find_program, for_downloads
from meshproof.process import Shell

SUITE = "trixie"
PACKAGES = ("docker.io", "docker-cli", "containerd", "runc", "tini")
PROGRAMS = (
    *("dockerd", "docker", "docker-proxy", "docker-init"),
    *("containerd", "containerd-shim-runc-v2", "runc"),
)
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
_CONF = """\
Dir::State "{folder}/state";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "{folder}/parts";
Acquire::Languages "none";
"""
# What a program answers to it with 0, or with the words of a program that did start.
_ASKED = {"containerd-shim-runc-v2": "-v"}


def unpack(folder: Path, shell: Shell) -> Path:
    """A folder with ``PROGRAMS``, made in ``folder`` where it is not there yet. apt's own lists,
    sources and packages of this machine are neither read nor changed.

    Raises CommandError when packages cannot be had, SystemExit for a program that does not run
    here and has no namesake on this machine.
    """
    programs = folder / "bin"
    if programs.is_dir():
        return programs
    for name in ("state/lists/partial", "cache/archives/partial", "parts", "debs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "state/status").touch()
    site = f"deb [signed-by={_KEYS}] {mirror(shell)} {SUITE} main\n"
    (folder / "sources.list").write_text(site, encoding="utf-8")
    conf = folder / "apt.conf"
    conf.write_text(_CONF.format(folder=folder), encoding="utf-8")
    environment = {**for_downloads(os.environ), "APT_CONFIG": str(conf)}
    debs = folder / "debs"
    shell.run(["apt-get", "-q", "update"], env=environment, timeout=900)
    shell.run(["apt-get", "-q", "download", *PACKAGES], env=environment, cwd=debs, timeout=900)
    root = folder / "root"
    for package in sorted(debs.glob("*.deb")):
        shell.run(["dpkg", "-x", str(package), str(root)])
    half = folder / "bin.half"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    for name in PROGRAMS:
        (half / name).symlink_to(_chosen(name, root, lambda one: _runs(one, shell)))
    half.rename(programs)
    return programs


def _chosen(name: str, root: Path, runs: Callable[[Path], bool]) -> Path:
    """The unpacked program; this machine's own of that name where the unpacked one does not run
    here: it may want a newer C library, as Debian's runc does."""
    unpacked = [root / place / name for place in ("usr/sbin", "usr/bin", "usr/libexec/docker")]
    installed = find_program(name)
    for program in (*unpacked, *([Path(installed)] if installed else [])):
        if program.exists() and runs(program):
            return program.resolve()
    raise SystemExit(f"{name} of {SUITE} does not run here, and there is no other")


def _runs(program: Path, shell: Shell) -> bool:
    asked = _ASKED.get(program.name, "--version")
    return shell.run([str(program), asked], check=False, timeout=60).returncode == 0
