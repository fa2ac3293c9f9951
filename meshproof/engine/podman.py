"""podman, 4.3 or later, run by root."""

from __future__ import annotations

import json
import subprocess
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from meshproof.engine.engine import Container, Engine, Network
from meshproof.wait import eventually

_IDLE_SECONDS = 5


class Podman(Engine):
    """podman by its command line; its API service is started for testcontainers alone."""

    name = "podman"
    _version_of = "Client"

    def containers(self) -> list[Container]:
        """All containers, also those that a killed podman left in its storage alone."""
        listing = self.command("ps", "-a", "--external", "--format", "json").stdout
        return [
            Container(entry["Names"][0], entry.get("State") == "running", entry["Labels"] or {})
            for entry in json.loads(listing or "[]")
        ]

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

    def _network_options(self, names: bool) -> list[str]:
        # podman's name server forwards what it does not know to the host's: the lab wants no
        # way out, and only clusters of several nodes need the names of containers.
        return [] if names else ["--disable-dns"]

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
