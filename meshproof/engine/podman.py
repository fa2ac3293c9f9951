"""podman, 4.3 or later, run by root."""

from __future__ import annotations

import os
import subprocess
import tempfile
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from meshproof.engine import answers
from meshproof.engine.engine import Container, Engine, Network
from meshproof.errors import EngineError
from meshproof.wait import eventually

_IDLE_SECONDS = 5
_UNSHARED = "_CONTAINERS_USERNS_CONFIGURED"
"""What podman sets for all that runs in its user namespace, where a user looks like root."""


class Podman(Engine):
    """podman by its command line; its API service is started for testcontainers alone."""

    name = "podman"

    def containers(self) -> list[Container]:
        """All containers, also those that a killed podman left in its storage alone."""
        listing = self.command("ps", "-a", "--external", "--format", "json", timeout=60)
        with answers.understood(listing):
            return [_container(entry) for entry in answers.objects(listing)]

    def kind_environment(self, network: str) -> dict[str, str]:
        return {
            "KIND_EXPERIMENTAL_PROVIDER": "podman",
            "KIND_EXPERIMENTAL_PODMAN_NETWORK": network,
        }

    def socket_url(self, folder: Path) -> str:
        """Start podman's API service in ``folder``; it ends by itself when idle for 5 s."""
        socket = folder / "podman.sock"
        argv = ["podman", "system", "service", "--time", str(_IDLE_SECONDS), f"unix://{socket}"]
        subprocess.Popen(
            argv,
            env=self.shell.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        eventually(socket.exists, what="podman's API socket", within=20, every=0.05)
        return f"unix://{socket}"

    def push(self, reference: str) -> str:
        with tempfile.TemporaryDirectory(prefix="meshproof-") as folder:
            told = Path(folder) / "digest"
            self._carried("push", "--digestfile", str(told), reference)
            return told.read_text(encoding="utf-8").strip()

    def _save_options(self) -> list[str]:
        # Else further names would be those of the first image.
        return ["--multi-image-archive"]

    def _version(self) -> str:
        if os.environ.get(_UNSHARED):
            raise EngineError(
                "podman is rootless here, as inside 'podman unshare': the lab's router and nft "
                "rules need root",
                "run meshproof as root, for example with sudo",
            )
        finished = self._first_answer("version", "--format", "{{json .}}")
        if finished.returncode != 0:
            raise self._silent(finished)
        said = answers.object_of(finished)
        if said.get("Server"):  # podman tells of a server only where it is not the server itself
            raise EngineError(
                "podman runs elsewhere, or behind a socket", "let the podman of this machine run"
            )
        with answers.understood(finished):
            return str(said["Client"]["Version"])

    def _network_options(self) -> list[str]:
        # podman's name server forwards what it does not know to the host's: the lab wants no
        # way out.
        return ["--disable-dns"]

    def _no_grace(self) -> list[str]:
        return ["--time", "0"]

    def _network(self, entry: dict[str, Any]) -> Network | None:
        if entry.get("driver") != "bridge":
            return None
        pools = [pool["subnet"] for pool in entry.get("subnets") or [] if "." in pool["subnet"]]
        subnets = tuple(IPv4Network(pool) for pool in pools)
        return Network(
            entry["name"], entry["network_interface"], subnets, entry.get("labels") or {}
        )


def _container(entry: dict[str, Any]) -> Container:
    """A container of podman's list; one that its storage alone knows may have no name."""
    names = entry.get("Names") or [entry["Id"]]
    return Container(names[0], entry.get("State") == "running", entry.get("Labels") or {})
