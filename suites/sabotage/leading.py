"""Addresses that a cluster's nodes lead elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

from meshproof.kube.cluster import RunningCluster
from meshproof.workloads.sample import PORT

_TABLE = "meshproof-sabotage"


@contextmanager
def leading(cluster: RunningCluster, address: IPv4Address, to: IPv4Address) -> Iterator[None]:
    """New connections of a cluster's pods to helloworld's port at an address go to another one
    inside the block."""
    rules = (
        f"table ip {_TABLE} {{\n"
        "chain detour { type nat hook prerouting priority -110\n"
        f"ip daddr {address} tcp dport {PORT} dnat to {to}\n}}\n}}\n"
    )
    try:
        _apply(cluster, address, rules)
        yield
    finally:
        # The table is made if it is not there, so that its end can be checked.
        _apply(cluster, address, f"table ip {_TABLE} {{\n}}\ndelete table ip {_TABLE}\n")


def _apply(cluster: RunningCluster, address: IPv4Address, rules: str) -> None:
    for node in cluster.nodes:
        cluster.on_node(node, "nft", "-f", "-", input=rules)
        cluster.on_node(node, "conntrack", "-D", "-d", str(address), check=False)
