"""Docker Engine, by its own command line."""

from __future__ import annotations

import os
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from meshproof.engine.engine import Engine, Network
from meshproof.errors import EngineError

_BRIDGE_NAME = "com.docker.network.bridge.name"


class Docker(Engine):
    """docker by its command line and its own socket."""

    name = "docker"
    _version_of = "Server"

    def check_local(self) -> None:
        """Routes and rules are written on this machine: containers elsewhere are no use."""
        inspect = ("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
        host = self.command(*inspect, check=False).stdout.strip()
        if host and not host.startswith("unix://"):
            raise EngineError(f"docker runs elsewhere ({host})", "use an engine on this machine")

    def kind_environment(self, network: str) -> dict[str, str]:
        return {
            "KIND_EXPERIMENTAL_PROVIDER": "docker",
            "KIND_EXPERIMENTAL_DOCKER_NETWORK": network,
        }

    def socket_url(self, folder: Path) -> str:
        """The socket that the user's docker command uses as well; nothing is started."""
        return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")

    def _network_options(self, names: bool) -> list[str]:
        # What leaves a cluster's network leaves it through the router, under its own address.
        return ["-o", "com.docker.network.bridge.enable_ip_masquerade=false"]

    def _no_grace(self) -> list[str]:
        return []

    def _network(self, entry: dict[str, Any]) -> Network | None:
        if entry.get("Driver") != "bridge":
            return None
        pools = [pool["Subnet"] for pool in entry["IPAM"]["Config"] or [] if "." in pool["Subnet"]]
        bridge = (entry.get("Options") or {}).get(_BRIDGE_NAME) or f"br-{entry['Id'][:12]}"
        subnets = tuple(IPv4Network(pool) for pool in pools)
        return Network(entry["Name"], bridge, subnets, entry.get("Labels") or {})
