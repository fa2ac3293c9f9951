"""Stand-ins for docker and podman: shell scripts in a folder that is the whole PATH."""

from __future__ import annotations

import shutil
from pathlib import Path

_NEEDED = ("sh", "setpriv", "sleep", "echo", "cat")

PODMAN = """
case "$1" in
--version) echo "podman version 4.3.1" ;;
version) echo '{"Client":{"APIVersion":"4.3.1","Version":"4.3.1","OsArch":"linux/amd64"}}' ;;
info) echo '{"host":{"networkBackend":"netavark"},"version":{"Version":"4.3.1"}}' ;;
*) exit 125 ;;
esac
"""
DOCKER = """
case "$1" in
--version) echo "Docker version 28.2.2, build e6534b4" ;;
context) echo "${4%%'{{'*}${DOCKER_HOST:-unix:///var/run/docker.sock}" ;;
version) echo '{"Client":{"Version":"28.2.2"},"Server":{"Version":"28.2.1","Components":[]}}' ;;
*) exit 1 ;;
esac
"""
DOWN = """
case "$1" in
--version) echo "Docker version 28.2.2, build e6534b4" ;;
context) echo "${4%%'{{'*}unix:///var/run/docker.sock" ;;
version) echo '{"Client":{"Version":"28.2.2"},"Server":null}'
  echo "Cannot connect to the Docker daemon. Is the docker daemon running?" >&2; exit 1 ;;
*) exit 1 ;;
esac
"""
EMULATED = """
echo "Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg." >&2
exec podman "$@"
"""
SHIM = 'exec podman "$@"'


class Programs:
    """A folder of programs; there are no others than these and a few that any script needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in _NEEDED:
            (folder / name).symlink_to(shutil.which(name) or f"/bin/{name}")

    def put(self, name: str, script: str) -> None:
        """Make a program of a shell script, or replace one."""
        program = self.folder / name
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
