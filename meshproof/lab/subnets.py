"""Leases the subnets of the clusters' networks, so that two runs never use the same one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses

from filelock import FileLock

from meshproof.errors import LabError
from meshproof.paths import state_dir
from meshproof.process import Shell

POOL = IPv4Network("172.30.0.0/16")


@dataclass(frozen=True, slots=True)
class Subnet:
    """A /24, shared out: the engine gives the lower half to containers, the lab the rest."""

    network: IPv4Network

    @property
    def host(self) -> IPv4Address:
        """The host's own address on the bridge."""
        return self.network[1]

    @property
    def containers(self) -> IPv4Network:
        """What the engine hands out to nodes."""
        return next(self.network.subnets(prefixlen_diff=1))

    @property
    def router(self) -> IPv4Address:
        """The router's address, the nodes' default route."""
        return self.network[254]

    @property
    def load_balancers(self) -> list[IPv4Address]:
        """What the lab gives to Services of type LoadBalancer."""
        return [self.network[number] for number in range(200, 250)]


class Leases:
    """The subnets in use by labs of this user, in one file under a lock."""

    def __init__(self, pool: IPv4Network = POOL) -> None:
        self._pool = pool
        self._file = state_dir() / "subnets.json"

    def take(self, owner: str, count: int, taken: Iterable[IPv4Network]) -> list[Subnet]:
        """Lease ``count`` subnets to the lab ``owner``, clear of those ``taken`` on this machine.

        Raises LabError when the pool is used up.
        """
        avoid = list(collapse_addresses(taken))
        with self._locked():
            leases = self._read()
            free = [
                subnet
                for subnet in self._pool.subnets(new_prefix=24)
                if str(subnet) not in leases and not any(subnet.overlaps(net) for net in avoid)
            ][:count]
            if len(free) < count:
                raise LabError(
                    f"{self._pool} has no {count} subnets left for this run",
                    "end other runs with 'meshproof sweep' or 'meshproof down', or take other "
                    "networks and routes of this machine out of that range",
                )
            self._write({**leases, **{str(subnet): owner for subnet in free}})
        return [Subnet(network) for network in free]

    def of(self, owner: str) -> list[Subnet]:
        """The subnets leased to a lab, in the order taken."""
        found = [net for net, who in self._read().items() if who == owner]
        return [Subnet(IPv4Network(net)) for net in found]

    def give_back(self, owner: str) -> None:
        """End all leases of a lab."""
        with self._locked():
            leases = self._read()
            if owner in leases.values():
                self._write({net: who for net, who in leases.items() if who != owner})

    def owners(self) -> set[str]:
        """The ids of the labs that have leases."""
        return set(self._read().values())

    def _locked(self) -> FileLock:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return FileLock(self._file.with_suffix(".lock"), timeout=30)

    def _read(self) -> dict[str, str]:
        try:
            leases: dict[str, str] = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return leases

    def _write(self, leases: dict[str, str]) -> None:
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(leases, indent=1), encoding="utf-8")
        draft.replace(self._file)


def networks_in_use(shell: Shell) -> list[IPv4Network]:
    """What this machine has a route or an address for, apart from its default route."""
    routes = json.loads(shell.run(["ip", "-j", "-4", "route", "show", "table", "all"]).stdout)
    found = {route["dst"] for route in routes if route["dst"] not in ("default", "0.0.0.0/0")}
    return [IPv4Network(text, strict=False) for text in sorted(found)]
