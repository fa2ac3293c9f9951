"""Leases the subnets of the clusters' networks, so that two runs never use the same one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses

from filelock import FileLock

from meshproof.errors import LabError
from meshproof.lab.ownership import real_state_dir
from meshproof.model.addresses import POOL
from meshproof.owned import STATE, check_not_foreign, make_owned
from meshproof.paths import state_dir
from meshproof.process import Shell, json_of
from meshproof.reading import file_errors, read_json

_PREFIX = 24
_WHAT = "the list of leased subnets"
_REMEDY = "put it right, or delete it when no lab is left ('meshproof status')"


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
    """The subnets in use by labs of this user, in one file under a lock.

    Rules and links on the host are removed by what is leased. So each lease is a /24 of the
    pool, and all methods raise LabError, naming the file, when it holds anything else or cannot
    be read or written.
    """

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
                for subnet in self._pool.subnets(new_prefix=_PREFIX)
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
        if owner not in self.owners():
            return  # nobody else takes leases for it: nothing needs to be written
        with self._locked():
            self._write({net: who for net, who in self._read().items() if who != owner})

    def owners(self) -> set[str]:
        """The ids of the labs that have leases."""
        return set(self._read().values())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        make_owned(real_state_dir(), STATE)
        path = self._file.with_suffix(".lock")
        lock = FileLock(path, timeout=30)
        with file_errors(path, "the lock", doing="take", error=LabError):
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _read(self) -> dict[str, str]:
        try:
            self._file.lstat()
        except FileNotFoundError:
            return {}
        except OSError:
            pass  # reading it says why
        leases = read_json(self._file, _WHAT, remedy=_REMEDY, error=LabError)
        if not isinstance(leases, dict):
            raise LabError(f"{_WHAT} {self._file} holds no leases", _REMEDY)
        for net, owner in leases.items():
            if not (self._may_lease(net) and isinstance(owner, str)):
                wanted = f"a lab's lease of a /{_PREFIX} in {self._pool}"
                told = f"{_WHAT} {self._file} holds {net[:40]!r}, which is not {wanted}"
                raise LabError(told, _REMEDY)
        return leases

    def _may_lease(self, text: str) -> bool:
        try:
            net = IPv4Network(text)
        except ValueError:
            return False
        return str(net) == text and net.prefixlen == _PREFIX and net.subnet_of(self._pool)

    def _write(self, leases: dict[str, str]) -> None:
        draft = self._file.with_suffix(".new")
        with file_errors(self._file, _WHAT, doing="write", error=LabError):
            draft.write_text(json.dumps(leases, indent=1), encoding="utf-8")
            draft.replace(self._file)


def check_state_dir() -> None:
    """Raise what making a lab would raise of the state folder and the leases in it.

    NotOursError for somebody else's folder, MeshproofError for what is no folder or cannot be
    written to, LabError for leases that cannot be read. Makes nothing.
    """
    folder = real_state_dir()
    check_not_foreign(folder, STATE)
    above = next(one for one in (folder, *folder.parents) if one.exists())
    if not os.access(above, os.W_OK):  # false for root as well where a file system is read-only
        raise LabError(f"{above} cannot be written to", "let MESHPROOF_STATE name another folder")
    Leases().owners()


def networks_in_use(shell: Shell) -> list[IPv4Network]:
    """What this machine has a route or an address for, apart from its default route."""
    routes = json_of(shell.run(["ip", "-j", "-4", "route", "show", "table", "all"]))
    found = {route["dst"] for route in routes if route["dst"] not in ("default", "0.0.0.0/0")}
    return [IPv4Network(text, strict=False) for text in sorted(found)]
