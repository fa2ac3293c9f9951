"""The addresses that labs take for themselves: whatever else has addresses stays clear of them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from meshproof.errors import ModelError

POOLS = tuple(
    map(
        IPv4Network,
        ("172.30.0.0/16", "172.29.0.0/16", "10.213.0.0/16", "192.168.192.0/18", "172.24.0.0/16"),
    )
)
"""What the networks of labs are taken from, the first that has room, unless a pool is named."""
NETWORK = 24
"""The prefix length of a cluster's network."""
MOST_NODES = 120
"""How many nodes a cluster can have: its network's lower half is theirs (126 addresses), and the
engine keeps some of it."""
_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""What nobody's public addresses are (RFC 1918)."""
_SHOWN = 40


def is_private(network: IPv4Network) -> bool:
    """Whether a network is one that labs may use: private, for use within a site."""
    return any(network.subnet_of(private) for private in _PRIVATE)


def pool_of(
    networks: Iterable[IPv4Network], named: IPv4Network | None = None
) -> IPv4Network | None:
    """The pool that a lab's networks were taken from: the one that was ``named``, else the one of
    ``POOLS`` that holds them all; None where there is none, as of a pool that was named for a lab
    of which nobody has noted it."""
    if named is not None:
        return named
    found = list(networks)
    holding = (pool for pool in POOLS if found and all(one.subnet_of(pool) for one in found))
    return next(holding, None)


def pool_named(text: str) -> IPv4Network:
    """The range that somebody names as the pool of labs' networks.

    Raises ModelError for what is no range of IPv4 addresses, is not private, or cannot hold one
    network.
    """
    shown = repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
    example = f"write one such as {POOLS[2]}"
    if _is_ipv6(text):
        raise ModelError(f"{shown} is an IPv6 range, and labs have IPv4 addresses alone", example)
    address, slash, prefix = text.partition("/")
    try:
        # int() takes blanks and "1_6" as well.
        length = int(prefix) if prefix.isascii() and prefix.isdigit() else 32
        network = IPv4Network((IPv4Address(address), length), strict=False)
    except ValueError:
        raise ModelError(f"{shown} is no range of IPv4 addresses", example) from None
    if not slash or str(length) != prefix:
        raise ModelError(f"{shown} has no prefix length", f"write it as in {address}/16")
    if address != str(network.network_address):
        raise ModelError(f"{shown} does not begin where its range does", f"write {network}")
    if not is_private(network):
        remedy = f"choose one within {', '.join(map(str, _PRIVATE))}"
        raise ModelError(f"{network} is not private, so its addresses are others'", remedy)
    if network.prefixlen > NETWORK:
        cause = f"{network} is too small, as each cluster's network takes a /{NETWORK} of it"
        raise ModelError(cause, "choose a larger one, such as a /16")
    return network


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Network(text, strict=False)
    except ValueError:
        return False
    return True
