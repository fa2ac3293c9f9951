"""The lab's rules on the host: one nft table a run, so that removing them is one command; and
what engines that were killed have left of a lab's networks on the host."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from typing import Any

from meshproof.engine import Engine
from meshproof.environment import find_program
from meshproof.errors import CommandError, LabError
from meshproof.lab.network.rules import Bridge, host_rules
from meshproof.lab.network.subnets import Subnet
from meshproof.lab.ownership import real_state_dir, table_name
from meshproof.process import Finished, Shell, json_of

_OURS = re.compile(r"meshproof_([0-9a-f]{8})")
_PODMANS_CHAIN = re.compile(r"NETAVARK-(DN-)?[0-9A-F]{13}")
# What podman (netavark) and docker call the things that they make on the host for a network.
_NAMESPACE = re.compile(r"netns-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LINKS = {"bridge": re.compile(r"podman\d+|br-[0-9a-f]{12}"), "veth": re.compile(r"veth[0-9a-f]+")}
_RULES = re.compile(r"NETAVARK[-_].+|DOCKER(?!-USER).*|br-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class HostLeftover:
    """A thing on the host. ``name``: for people; ``commands``: what removes it, in order."""

    name: str
    commands: tuple[tuple[str, ...], ...]

    def remove(self, shell: Shell) -> None:
        """Remove it; that it has gone already is no error."""
        for command in self.commands:
            shell.run(command, check=False, timeout=20)


def seal(shell: Shell, lab_id: str, bridges: list[Bridge]) -> None:
    """Make the host forward nothing between the bridges nor out of them, in one transaction.

    Raises LabError when the kernel refuses the rules.
    """
    table = table_name(lab_id)
    rules = host_rules(table, bridges)
    rules += f"add counter inet {table} {_state_mark()}\n"
    try:
        shell.run(["nft", "-f", "-"], input=rules, timeout=20)
    except CommandError as error:
        raise LabError(
            f"the host refused the lab's nft rules ({error.stderr.strip()[:200]})",
            "run 'meshproof doctor'",
        ) from None


def unseal(shell: Shell, lab_id: str) -> bool:
    """Remove the run's rules; returns whether there were any. Raises LabError when they stay."""
    argv = ["nft", "delete", "table", "inet", table_name(lab_id)]
    ended = shell.run(argv, env={"LC_ALL": "C"}, check=False, timeout=20)
    if ended.returncode != 0 and "No such file or directory" not in ended.stderr:
        raise LabError(f"the nft rules of lab {lab_id} stay ({ended.stderr.strip()[:200]})")
    return ended.returncode == 0


def dropped_by_host(shell: Shell, lab_id: str) -> int:
    """How many packets of this lab the host refused to forward. Raises LabError when unsealed."""
    argv = ["nft", "-j", "list", "counters", "table", "inet", table_name(lab_id)]
    try:
        found = _counters(shell.run(argv, timeout=20))
    except CommandError:
        raise LabError(f"the host's rules of lab {lab_id} are gone") from None
    return sum(int(c["packets"]) for c in found if c["name"] == "forwarding_refused")


def sealed_ids(shell: Shell) -> set[str]:
    """The ids of the runs of this state folder that have rules on this host.

    Two state folders, and two engines, share the host's rules: each table names its state folder.
    """
    found = _counters(shell.run(["nft", "-j", "list", "counters"], timeout=20))
    mine = [c["table"] for c in found if (c["family"], c["name"]) == ("inet", _state_mark())]
    return {match.group(1) for table in mine if (match := _OURS.fullmatch(table))}


def _counters(listed: Finished) -> list[dict[str, Any]]:
    """The counters that nft listed. Raises MeshproofError when it did not list any rules."""
    listing = json_of(listed)
    entries = listing.get("nftables", []) if isinstance(listing, dict) else []
    return [entry["counter"] for entry in entries if "counter" in entry]


def left_on_host(engine: Engine, subnets: Sequence[Subnet]) -> list[HostLeftover]:
    """What an engine that was killed midway left on the host of networks with these subnets.

    ``subnets``: leased to one lab. The engine has forgotten the networks, and would leave for
    ever what it made for them: named network namespaces, bridges, iptables rules. A subnet of a
    network that the engine still knows is passed over: what it has there is in use, or goes with
    the network. Of the rest only what an engine makes counts, by its kind and its name, and only
    if it serves these subnets alone: a lease can be wrong, and must not cost the machine its own
    links or its administrator's rules.
    """
    known = engine.networks()
    used = [subnet for network in known for subnet in network.subnets]
    free = [one.network for one in subnets if not any(one.network.overlaps(net) for net in used)]
    if not free:
        return []
    shell, bridges = engine.shell, {network.bridge for network in known}
    return [*_namespaces(shell, free), *_links(shell, free, bridges), *_rules(shell, free)]


def _namespaces(shell: Shell, networks: Collection[IPv4Network]) -> Iterator[HostLeftover]:
    """Namespaces of containers that are gone: no process is in them."""
    for line in shell.run(["ip", "netns", "list"], check=False).stdout.splitlines():
        name = line.split()[0]
        if not _NAMESPACE.fullmatch(name):
            continue
        found = [address for link in _addresses(shell, "-n", name) for address in _of(link)]
        if any(_lies_in(address, networks) for address in found) and _is_deserted(shell, name):
            yield HostLeftover(f"network namespace {name}", (("ip", "netns", "delete", name),))


def _is_deserted(shell: Shell, namespace: str) -> bool:
    living = shell.run(["ip", "netns", "pids", namespace], check=False)
    return living.returncode == 0 and not living.stdout.strip()


def _links(
    shell: Shell, networks: Collection[IPv4Network], spared: Collection[str]
) -> Iterator[HostLeftover]:
    """Bridges and their ports, but for those that a network of the engine names, and those that
    this machine's own traffic leaves by."""
    ways_out = {route.get("dev") for route in _asked(shell, "route", "show", "default")}
    for link in _addresses(shell):
        name, addresses = str(link.get("ifname", "")), _of(link)
        pattern = _LINKS.get(str(link.get("linkinfo", {}).get("info_kind")))
        ours = pattern is not None and pattern.fullmatch(name) is not None
        only = bool(addresses) and all(_lies_in(address, networks) for address in addresses)
        if ours and only and name not in spared and name not in ways_out:
            yield HostLeftover(f"link {name}", (("ip", "link", "delete", name),))


def _rules(shell: Shell, networks: Collection[IPv4Network]) -> Iterator[HostLeftover]:
    if find_program("iptables") is None:
        return
    for table in ("nat", "filter"):
        change = ("iptables", "-w", "-t", table)
        listed = shell.run([*change, "-S"], check=False).stdout.splitlines()
        rules = [words for words in map(_words, listed) if words[:1] == ["-A"]]
        ours = [words for words in rules if _serves(words, networks)]
        # A chain that podman made for this network alone is named in its rules.
        chains = {word for words in ours for word in words if _PODMANS_CHAIN.fullmatch(word)}
        ours += [words for words in rules if words not in ours and set(words) & chains]
        for words in ours:
            yield HostLeftover(
                f"iptables rule '{shlex.join(words)}' of table {table}",
                ((*change, "-D", *words[1:]),),
            )
        for chain in sorted(chains):
            yield HostLeftover(
                f"iptables chain {chain} of table {table}",
                ((*change, "-F", chain), (*change, "-X", chain)),
            )


def _serves(words: Sequence[str], networks: Collection[IPv4Network]) -> bool:
    """Whether an engine made this rule, and for one of these networks: from it, or to it."""
    texts = {str(network) for network in networks}
    pairs = list(pairwise(words))
    named = any(
        option in ("-s", "-d") and value in texts and words[at - 1] != "!"
        for at, (option, value) in enumerate(pairs)
    )
    makers = [value for option, value in pairs if option in ("-A", "-j", "-g", "-i", "-o")]
    return named and words[1] != "DOCKER-USER" and any(_RULES.fullmatch(one) for one in makers)


def _words(rule: str) -> list[str]:
    try:
        return shlex.split(rule)
    except ValueError:
        return []


def _addresses(shell: Shell, *where: str) -> list[dict[str, Any]]:
    """The links with their IPv4 addresses, on the host or in a namespace."""
    return _asked(shell, "address", where=where)


def _asked(shell: Shell, *what: str, where: Sequence[str] = ()) -> list[dict[str, Any]]:
    asked = shell.run(["ip", *where, "-j", "-d", "-4", *what], check=False)
    answer: list[dict[str, Any]] = json_of(asked) if asked.stdout.strip() else []
    return answer


def _of(link: dict[str, Any]) -> list[IPv4Address]:
    return [IPv4Address(info["local"]) for info in link.get("addr_info", ()) if "local" in info]


def _lies_in(address: IPv4Address, networks: Collection[IPv4Network]) -> bool:
    return any(address in network for network in networks)


def _state_mark() -> str:
    """A counter in each lab's table that counts nothing: its name tells the state folder."""
    return f"state_{hashlib.sha256(os.fsencode(real_state_dir())).hexdigest()[:12]}"
