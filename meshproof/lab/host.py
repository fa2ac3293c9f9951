"""The lab's rules on the host: one nft table a run, so that removing them is one command."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from ipaddress import IPv4Address

from meshproof.errors import CommandError, LabError
from meshproof.lab.ownership import table_name
from meshproof.lab.rules import Bridge, host_rules
from meshproof.lab.subnets import Subnet
from meshproof.process import Shell

_PODMANS_CHAIN = re.compile(r"NETAVARK-(DN-)?[0-9A-F]{13}")
_OURS = re.compile(r"meshproof_([0-9a-f]{8})")


def seal(shell: Shell, lab_id: str, bridges: list[Bridge], *, names: bool = False) -> None:
    """Make the host forward nothing between the bridges nor out of them, in one transaction.

    ``names``: nodes may still ask the engine's name server on the host; clusters of several
    nodes need it while they are created. Raises LabError when the kernel refuses the rules.
    """
    try:
        rules = host_rules(table_name(lab_id), bridges, names=names)
        shell.run(["nft", "-f", "-"], input=rules, timeout=20)
    except CommandError as error:
        raise LabError(
            f"the host refused the lab's nft rules ({error.stderr.strip()[:200]})",
            "run 'meshproof doctor'",
        ) from None


def unseal(shell: Shell, lab_id: str) -> None:
    """Remove the run's rules; none there is no error."""
    shell.run(["nft", "delete", "table", "inet", table_name(lab_id)], check=False, timeout=20)


def clear_subnet(shell: Shell, subnet: Subnet) -> None:
    """Remove what an engine that was killed midway left of one of our networks on the host.

    That is named network namespaces and a bridge with addresses of the subnet, and rules that
    name the subnet; it is leased to us, so they are nobody else's. The engine has forgotten the
    network and would leave them for ever.
    """
    for line in shell.run(["ip", "netns", "list"], check=False).stdout.splitlines():
        namespace = line.split()[0]
        if _links_on(shell, subnet, "-n", namespace):
            shell.run(["ip", "netns", "delete", namespace], check=False)
    for link in _links_on(shell, subnet):
        shell.run(["ip", "link", "delete", link], check=False)
    if shutil.which("iptables") is not None:
        for table in ("nat", "filter"):
            _clear_table(shell, table, str(subnet.network))


def _links_on(shell: Shell, subnet: Subnet, *where: str) -> list[str]:
    """The network devices that have an address of the subnet, on the host or in a namespace."""
    listing = shell.run(["ip", *where, "-j", "-4", "address"], check=False).stdout
    return [
        link["ifname"]
        for link in json.loads(listing or "[]")
        if any(IPv4Address(info["local"]) in subnet.network for info in link["addr_info"])
    ]


def _clear_table(shell: Shell, table: str, network: str) -> None:
    change = ["iptables", "-w", "-t", table]
    rules = shell.run([*change, "-S"], check=False).stdout.splitlines()
    ours = [rule for rule in rules if network in rule]
    # A chain that podman made for this network alone is named in its rules.
    chains = {word for rule in ours for word in rule.split() if _PODMANS_CHAIN.fullmatch(word)}
    ours += [rule for rule in rules if rule not in ours and set(rule.split()) & chains]
    for rule in ours:
        if rule.startswith("-A "):
            shell.run([*change, "-D", *shlex.split(rule)[1:]], check=False)
    for chain in chains:
        shell.run([*change, "-F", chain], check=False)
        shell.run([*change, "-X", chain], check=False)


def dropped_by_host(shell: Shell, lab_id: str) -> int:
    """How many packets of this lab the host refused to forward. Raises LabError when unsealed."""
    argv = ["nft", "-j", "list", "counters", "table", "inet", table_name(lab_id)]
    try:
        listing = json.loads(shell.run(argv, timeout=20).stdout)
    except CommandError:
        raise LabError(f"the host's rules of lab {lab_id} are gone") from None
    counters = (entry["counter"] for entry in listing["nftables"] if "counter" in entry)
    return sum(int(c["packets"]) for c in counters if c["name"] == "forwarding_refused")


def sealed_ids(shell: Shell) -> set[str]:
    """The ids of the runs that have rules on this host."""
    listing = json.loads(shell.run(["nft", "-j", "list", "tables"], timeout=20).stdout)
    names = [entry["table"]["name"] for entry in listing["nftables"] if "table" in entry]
    return {match.group(1) for name in names if (match := _OURS.fullmatch(name))}
