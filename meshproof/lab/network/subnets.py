"""Leases the subnets of the clusters' networks, so that two runs never use the same one.

They come out of a pool: one that was named, or the first of ``POOLS`` that has room beside what
this machine and the clusters use.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from itertools import islice

from filelock import FileLock

from meshproof.errors import LabError
from meshproof.lab.ownership import real_state_dir
from meshproof.model.addresses import NETWORK, POOLS, is_private
from meshproof.owned import STATE, check_not_foreign, make_owned
from meshproof.paths import state_dir
from meshproof.process import Shell, json_of
from meshproof.reading import file_errors, read_json

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

    Rules and links on the host are removed by what is leased. So each lease is a private /24,
    and all methods raise LabError, naming the file, when it holds anything else or cannot be
    read or written.
    """

    def __init__(self) -> None:
        self._file = state_dir() / "subnets.json"

    def take(
        self, owner: str, count: int, taken: Iterable[IPv4Network], pool: IPv4Network | None = None
    ) -> list[Subnet]:
        """Lease ``count`` subnets of one pool to the lab ``owner``, clear of those ``taken``.

        ``pool``: the one that was named. Raises LabError when it has not as many left, or, where
        none was named, none of ``POOLS`` has.
        """
        avoid = list(collapse_addresses(taken))
        with self._locked():
            leases = self._read()
            avoid += map(IPv4Network, leases)
            for one in (pool,) if pool is not None else POOLS:
                free = list(islice(_free(one, avoid), count))
                if len(free) == count:
                    self._write({**leases, **{str(subnet): owner for subnet in free}})
                    return [Subnet(network) for network in free]
        raise _used_up(count, pool)

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

    def leased(self) -> list[str]:
        """All subnets that labs have leases of."""
        return list(self._read())

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
            if not (_may_lease(net) and isinstance(owner, str)):
                wanted = f"a lab's lease of a private /{NETWORK}"
                told = f"{_WHAT} {self._file} holds {net[:40]!r}, which is not {wanted}"
                raise LabError(told, _REMEDY)
        return leases

    def _write(self, leases: dict[str, str]) -> None:
        draft = self._file.with_suffix(".new")
        with file_errors(self._file, _WHAT, doing="write", error=LabError):
            draft.write_text(json.dumps(leases, indent=1), encoding="utf-8")
            draft.replace(self._file)


def room(taken: Iterable[IPv4Network]) -> dict[IPv4Network, int]:
    """How many networks each of ``POOLS`` has left, beside those ``taken`` and those leased.

    Raises LabError when the leases cannot be read.
    """
    avoid = [*collapse_addresses(taken), *map(IPv4Network, Leases().leased())]
    return {pool: sum(1 for _ in _free(pool, avoid)) for pool in POOLS}


def _free(pool: IPv4Network, avoid: Collection[IPv4Network]) -> Iterator[IPv4Network]:
    for subnet in pool.subnets(new_prefix=NETWORK):
        if not any(subnet.overlaps(net) for net in avoid):
            yield subnet


def _may_lease(text: str) -> bool:
    try:
        net = IPv4Network(text)
    except ValueError:
        return False
    return str(net) == text and net.prefixlen == NETWORK and is_private(net)


def _used_up(count: int, pool: IPv4Network | None) -> LabError:
    wanted = f"{count} free /{NETWORK}{'s' if count > 1 else ''} for the clusters' networks"
    if pool is not None:
        return LabError(
            f"{pool} has not {wanted}",
            "name another or a larger range with --pool, or remove labs ('meshproof status')",
        )
    return LabError(
        f"none of {', '.join(map(str, POOLS))} has {wanted}: this machine's networks and routes, "
        f"the clusters and other labs take them",
        f"name a private range that you can spare with --pool, a /{NETWORK} a cluster",
    )


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


def networks_in_use(shell: Shell, pool: IPv4Network | None = None) -> list[IPv4Network]:
    """What this machine has a route or an address for, apart from its default route.

    ``pool``: one that was named; a route to more than that is then no obstacle. A lab's own
    routes are narrower, and win: what else the wider one leads to is reached as before.
    """
    routes = json_of(shell.run(["ip", "-j", "-4", "route", "show", "table", "all"]))
    texts = {route["dst"] for route in routes if route["dst"] != "default"}
    found = [IPv4Network(text, strict=False) for text in sorted(texts)]
    # Halves of the whole are how VPNs write their default route.
    return [one for one in found if one.prefixlen > 1 and not _is_wider(one, pool)]


def _is_wider(network: IPv4Network, pool: IPv4Network | None) -> bool:
    return pool is not None and network != pool and network.supernet_of(pool)
