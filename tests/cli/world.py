"""A machine of its own for a command line: folders, programs and an environment, in one folder.

The programs are stand-ins that answer questions and note every call; there is no other engine,
and no rule or link of the real machine is ever seen or touched.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from tests.engine.programs import DOCKER, DOWN, EMULATED, SHIM, Programs

PODMAN = """
case "$1 $2" in
"--version ") echo "podman version 4.3.1" ;;
"version "*) echo '{"Client":{"APIVersion":"4.3.1","Version":"4.3.1","OsArch":"linux/amd64"}}' ;;
"info "*) echo '{"host":{"networkBackend":"netavark"},"version":{"Version":"4.3.1"}}' ;;
"ps "*) echo '[]' ;;
"network ls"|"volume ls") ;;
"network inspect"|"volume inspect"|"container inspect") echo '[]' ;;
"image inspect"|"inspect "*) echo "Error: no such object" >&2; exit 125 ;;
"run --rm") ;;
*) exit 125 ;;
esac
"""
NFT = """
case "$*" in
*" list "*) echo '{"nftables": []}' ;;
"delete table "*) echo "Error: No such file or directory" >&2; exit 1 ;;
esac
"""
IP = """
case "$*" in
*-j*) echo '[]' ;;
esac
"""
ENGINES = {
    "podman": PODMAN,
    "docker": DOCKER,
    "docker without a daemon": DOWN,
    "docker that is podman": EMULATED,
    "docker that is a link to podman": SHIM,
}
_ALWAYS = {"nft": NFT, "ip": IP, "nsenter": "", "iptables": "", "unshare": "", "tc": ""}
_NOTES = 'echo "{name} $*" >>"$CALLS"\n'
_QUESTIONS = {"--version", "version", "info", "ps", "inspect", "ls", "list", "-S", "context"}
_PASSING = {"podman run --rm", "unshare -n", "unshare -m"}
"""What the doctor tries, in containers and name spaces that end with the trial."""


def usual_programs(folder: Path) -> Path:
    """Make a folder with podman and all that a lab needs."""
    programs = Programs(folder)
    for name, script in {**_ALWAYS, "podman": PODMAN}.items():
        programs.put(name, _NOTES.format(name=name) + script)
    return folder


class World:
    """The folders: ``work`` (the working directory), ``home``, ``state``, ``store``, ``tmp``.

    ``path``: the PATH, one folder; a world that changes a program gets a folder of its own.
    ``gone``: whether the working directory is removed before the command is run.
    """

    def __init__(self, root: Path, programs: Path) -> None:
        self.root, self.path, self.gone = root, programs, False
        self.work, self.home, self.tmp = root / "work", root / "home", root / "tmp"
        self.state, self.store = root / "state", root / "store"
        for folder in (self.work, self.home, self.tmp):
            folder.mkdir()
        self._log = root / "calls"

    def put(self, name: str, script: str) -> None:
        """Make a program that notes its calls."""
        self.take_away(name)
        program = self.path / name
        program.write_text(f"#!/bin/sh\n{_NOTES.format(name=name)}{script}\n", encoding="utf-8")
        program.chmod(0o755)

    def take_away(self, *names: str) -> None:
        """Remove programs."""
        own = self.root / "bin"
        if self.path != own:
            shutil.copytree(self.path, own, symlinks=True)
            self.path = own
        for name in names:
            (own / name).unlink(missing_ok=True)

    def environment(self) -> dict[str, str]:
        """The whole environment of a command."""
        return {
            "PATH": str(self.path),
            "CALLS": str(self._log),
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "MESHPROOF_STATE": str(self.state),
            "MESHPROOF_STORE": str(self.store),
            "COLUMNS": "100",
            "LANG": "C.UTF-8",
        }

    def spelled(self, text: str) -> str:
        """A text in which {work} and the like stand for the folders."""
        for name in ("work", "home", "state", "store", "root"):
            text = text.replace(f"{{{name}}}", str(getattr(self, name)))
        return text

    def calls(self) -> list[str]:
        """All calls of programs, such as "podman ps -a", in order."""
        return self._log.read_text().splitlines() if self._log.exists() else []

    def changing_calls(self) -> list[str]:
        """The calls of programs that are no questions."""
        return [call for call in self.calls() if not _is_question(call)]

    def snapshot(self) -> dict[str, tuple[int | str, ...]]:
        """What there is, by path: kind and mode; where a link leads; a file's size and date."""
        found: dict[str, tuple[int | str, ...]] = {}
        for place, folders, files in os.walk(self.root):
            for name in (*folders, *files):
                path = Path(place) / name
                if path != self._log:
                    found[str(path.relative_to(self.root))] = _about(path)
        return found


def _about(path: Path) -> tuple[int | str, ...]:
    about = path.lstat()
    if stat.S_ISLNK(about.st_mode):
        return ("link", str(path.readlink()))
    if stat.S_ISREG(about.st_mode):
        return (about.st_mode, about.st_size, about.st_mtime_ns)
    return (about.st_mode,)


def _is_question(call: str) -> bool:
    words = call.split()
    if any(call.startswith(passing) for passing in _PASSING):
        return True
    return (words[0] == "ip" and "-j" in words) or not _QUESTIONS.isdisjoint(words[1:6])
