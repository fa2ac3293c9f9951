"""Docker Engine, by its own command line."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from meshproof.engine import answers
from meshproof.engine.engine import Engine, Network, OtherEngineError
from meshproof.environment import for_docker
from meshproof.errors import EngineError

_BRIDGE_NAME = "com.docker.network.bridge.name"
_NO_CONFIG = "/nonexistent"


class Docker(Engine):
    """docker by its command line and its own socket."""

    name = "docker"

    @cached_property
    def host(self) -> str:
        """The URL of the daemon's socket: of ``DOCKER_HOST``, or of docker's current context.

        Raises EngineError when docker does not say, or the daemon is none of this machine's:
        routes and rules are written here, and containers elsewhere are no use.
        """
        template = answers.marked("{{.Endpoints.docker.Host}}")
        finished = self._first_answer("context", "inspect", "--format", template)
        host = next(iter(answers.rows(finished)), "")
        if not host:
            raise self._silent(finished)
        if not host.startswith("unix://"):
            raise EngineError(
                f"docker runs elsewhere, or behind a port ({host})",
                "use an engine of this machine, by its socket",
            )
        return host

    def kind_environment(self, network: str) -> dict[str, str]:
        return {
            "KIND_EXPERIMENTAL_PROVIDER": "docker",
            "KIND_EXPERIMENTAL_DOCKER_NETWORK": network,
            "DOCKER_HOST": self.host,
            # Proxies in docker's config.json would become those of the nodes, and of what is
            # in them; of contexts, which it holds as well, the host is all that is needed.
            "DOCKER_CONFIG": _NO_CONFIG,
        }

    def socket_url(self, folder: Path) -> str:
        """The socket that the user's docker command uses as well; nothing is started."""
        return self.host

    def push(self, reference: str) -> str:
        return f"sha256:{answers.digest(self._carried('push', reference))}"

    def _save_options(self) -> list[str]:
        return []

    def _environment(self) -> Mapping[str, str]:
        return for_docker(os.environ)

    def _version(self) -> str:
        _ = self.host
        finished = self._first_answer("version", "--format", "{{json .}}")
        if finished.returncode != 0:
            raise self._silent(finished)
        with answers.understood(finished):
            server = answers.object_of(finished)["Server"]
            components = {one["Name"].lower() for one in server.get("Components") or []}
            if any("podman" in name for name in components):
                raise OtherEngineError(self.name, "podman")
            _check_reached(components, (server.get("Platform") or {}).get("Name") or "")
            return str(server["Version"])

    def _network_options(self) -> list[str]:
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


def _check_reached(components: Collection[str], platform: str) -> None:
    """Raise EngineError for a daemon whose containers are no neighbours of this machine's routes
    and rules. ``components`` and ``platform``: as the daemon's version tells them."""
    if platform.startswith("Docker Desktop"):
        raise EngineError(
            "docker is Docker Desktop, whose containers run in a virtual machine of its own",
            "use Docker Engine or podman, as root, on this machine or in that of WSL",
        )
    if "rootlesskit" in components:
        raise EngineError(
            "docker runs rootless: its containers are in a network that this machine's routes and "
            "rules do not reach",
            "start docker's daemon as root, or use '--engine podman'",
        )
