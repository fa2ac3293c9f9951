"""The router: the container that joins the clusters' networks and is the only path between them."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.engine import Engine
from meshproof.engine.engine import RUN_LABEL
from meshproof.environment import TESTCONTAINERS, set_aside
from meshproof.lab.network.counters import Counters, parse
from meshproof.lab.network.rules import TABLE, Places, router_rules, routes
from meshproof.lab.network.subnets import Subnet
from meshproof.lab.ownership import object_name
from meshproof.model import Footprint, Wiring

if TYPE_CHECKING:
    from docker.types import EndpointConfig

OWN_ADDRESS = IPv4Address("192.0.2.1")
"""Where the router itself is called from every cluster, by its nodes' default route: an address of
documentation's (RFC 5737), which is on no cluster's network."""
_OUR_TABLE = ("nft", "list", "table", "inet", TABLE)
_SYSCTLS = {"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.rp_filter": "0"}
# Packets for addresses that are nowhere in the lab get a way into the forward hook, where they
# are counted and dropped; nothing is attached to this bridge.
_NOWHERE = f"""ip link show nowhere >/dev/null 2>&1 || ip link add nowhere type bridge
ip link set nowhere up
ip address replace {OWN_ADDRESS}/32 dev nowhere
ip route replace default dev nowhere
"""


@dataclass
class Router:
    """The router of one lab. ``networks``: engine network and subnet by cluster."""

    engine: Engine
    lab_id: str
    footprint: Footprint
    networks: Mapping[str, tuple[str, Subnet]]
    devices: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def container(self) -> str:
        """The router's container."""
        return object_name(self.lab_id, "router")

    def start(self, image: str, folder: Path) -> None:
        """Start the router from the node image (which has nft, ip and conntrack) on all networks.

        ``folder``: where the engine's API socket may be made. It forwards nothing until
        ``apply``. To be called after ``load_testcontainers``. Raises docker.errors.DockerException
        when the engine refuses.
        """
        import docker
        from testcontainers.core.container import DockerContainer

        names = list(self.networks)
        environment = {"DOCKER_HOST": self.engine.socket_url(folder)}
        first, subnet = self.networks[names[0]]
        router = (
            DockerContainer(image, docker_client_kw={"environment": environment})
            .with_name(self.container)
            .with_command("infinity")
            .with_kwargs(
                entrypoint=["/bin/sleep"],
                privileged=True,
                labels={RUN_LABEL: self.lab_id},
                sysctls=_SYSCTLS,
                network=first,
                networking_config={first: _endpoint(subnet)},
                stop_signal="SIGKILL",
                use_config_proxy=False,
            )
        )
        router.start()
        client = docker.from_env(environment=environment)
        try:
            for name in names[1:]:
                network, subnet = self.networks[name]
                client.networks.get(network).connect(
                    self.container, ipv4_address=str(subnet.router)
                )
        finally:
            client.close()
        self._prepare()

    def restart(self) -> None:
        """Start a router that was stopped; it forwards nothing until ``apply``."""
        self.engine.start([self.container])
        self._prepare()

    def stop(self) -> None:
        """Stop the router: from now on no cluster answers another."""
        self.engine.command("stop", "-t", "0", self.container)

    def adopt(self) -> bool:
        """Take over the router of a kept lab; returns whether it was as it had been left.

        One that was stopped, or started again by somebody, or whose rules are gone, is prepared
        as ``restart`` does.
        """
        self.engine.start([self.container])
        if self.engine.exec(self.container, _OUR_TABLE, check=False).returncode != 0:
            self._prepare()
            return False
        self._exec("sh", "-e", input=_NOWHERE)
        self.devices = self._read_devices()
        return True

    def apply(self, places: Mapping[str, Places], wiring: Wiring) -> None:
        """Let through what the wiring says from now on.

        Safe to call from several threads: the last call's rules hold.
        """
        rules = router_rules(self.footprint, places, wiring)
        hops = "".join(routes(place.routes) for place in places.values())
        script = f"nft -f - <<'RULES' && ip -batch - <<'ROUTES'\n{rules}RULES\n{hops}ROUTES\n"
        with self._lock:
            self._exec("sh", "-e", input=script)

    def end_flows(self) -> None:
        """Forget all open flows, so that none goes on under rules that have changed."""
        self._exec("conntrack", "-F")

    def forget_neighbours(self) -> None:
        """Find everybody anew who may have come back with another link address."""
        self._exec("ip", "neighbour", "flush", "all")

    def counters(self) -> Counters:
        """What the router has counted since it was started."""
        return parse(self._exec("nft", "-j", "list", "table", "inet", TABLE))

    def _prepare(self) -> None:
        self._exec("sh", "-e", input=_NOWHERE)
        self.devices = self._read_devices()
        closed = f"add table inet {TABLE}\nadd chain inet {TABLE} forward "
        closed += "{ type filter hook forward priority 0; policy drop; }\n"
        self._exec("nft", "-f", "-", input=closed)

    def _read_devices(self) -> dict[str, str]:
        """The router's interface on each cluster's network, found by its address."""
        by_address = {}
        for link in json.loads(self._exec("ip", "-j", "-4", "address")):
            for address in link["addr_info"]:
                by_address[IPv4Address(address["local"])] = link["ifname"]
        return {name: by_address[subnet.router] for name, (_, subnet) in self.networks.items()}

    def _exec(self, *argv: str, input: str | None = None) -> str:
        return self.engine.exec(self.container, argv, input=input).stdout


def load_testcontainers() -> None:
    """Load the library that starts the router, which takes a while, and let it have no habits of
    the user's, also where somebody else has imported it before us. Not to be used while other
    threads run.
    """
    # It reads the user's variables and a file in the home directory when it is imported, fails at
    # those that are malformed, and would log in to registries.
    with set_aside(os.environ, f"{TESTCONTAINERS} DOCKER_AUTH_CONFIG"):
        import_module("testcontainers.core.container")
        from testcontainers.core.config import testcontainers_config

    testcontainers_config.ryuk_disabled = True  # meshproof itself removes what it made
    testcontainers_config.tc_properties = {}
    testcontainers_config.hub_image_name_prefix = ""
    testcontainers_config.connection_mode_override = None


def _endpoint(subnet: Subnet) -> EndpointConfig:
    from docker.types import EndpointConfig

    return EndpointConfig("1.44", ipv4_address=str(subnet.router))
