"""Writes the nft rules of router, nodes and host. Pure text in, pure text out.

The payload witnesses look at the first bytes of a TCP segment's payload (nft's ``@ih``): plain
text HTTP by the words it begins with, TLS by its record header; and for plain text of any kind at
the first payload of each side of a connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Any

from meshproof.model import Cluster, Flow, Footprint, Pair, Wiring

if TYPE_CHECKING:
    from jinja2 import Template

TABLE = "meshproof"
ROUTER_KINDS = (*(flow.value for flow in Flow), "reply", "ended", "tls", "http", "plain", "dropped")
NODE_KINDS = ("pod", "tls", "http", "plain")
_WORDS = ("GET ", "HEAD", "POST", "PUT ", "DELE", "OPTI", "PATC", "CONN", "PRI ", "HTTP")
PLAIN_TEXT = tuple(f"0x{word.encode().hex()}" for word in _WORDS)
"""How a segment of plain HTTP/1 or HTTP/2 begins: methods, HTTP/2's preface, the status line."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of a running cluster and its network are, as the router needs to know them;
    those of a network without a cluster are machines alone.

    ``device``: the router's interface on the network; ``nodes``: all nodes' addresses; ``api``:
    those that serve the API; ``gateways``: the addresses of LoadBalancer Services; ``routes``: pod
    and service ranges, each with its next hop; ``machines``: machines' addresses.
    """

    device: str
    nodes: tuple[IPv4Address, ...] = ()
    api: tuple[IPv4Address, ...] = ()
    gateways: tuple[IPv4Address, ...] = ()
    routes: Mapping[IPv4Network, IPv4Address] = field(default_factory=dict)
    machines: tuple[IPv4Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Bridge:
    """One of the lab's bridges on the host, and the host's own address on it."""

    device: str
    host: IPv4Address


def chain(pair: Pair) -> str:
    """The name under which a pair's chain and counters go: "east_to_west"."""
    return f"{pair[0]}_to_{pair[1]}"


def router_rules(footprint: Footprint, places: Mapping[str, Places], wiring: Wiring) -> str:
    """The router's rules for a wiring, as one nft transaction; counters keep their values."""
    return _template("router.nft.j2").render(
        pairs=[_pair(footprint, places, wiring, pair) for pair in footprint.pairs],
        outside={name: places[name].device for name in footprint.places},
        kinds=ROUTER_KINDS,
        plain_text=PLAIN_TEXT,
    )


def _pair(
    footprint: Footprint, places: Mapping[str, Places], wiring: Wiring, pair: Pair
) -> dict[str, Any]:
    caller, called = pair
    flows = wiring.between(caller, called)
    here, there = places[caller], places[called]
    return {
        "chain": chain(pair),
        "enters": here.device,
        "leaves": there.device,
        "api": there.api if Flow.API in flows else (),
        "gateways": there.gateways if Flow.GATEWAY in flows else (),
        "gateway_ports": wiring.gateway_ports,
        "pods": (*_pods(footprint, called), *there.machines) if Flow.POD in flows else (),
        "callers": (*_pods(footprint, caller), *here.nodes, *here.machines),
        "anything": Flow.ANYTHING in flows,
    }


def _pods(footprint: Footprint, place: str) -> tuple[IPv4Network, ...]:
    """The pods' range of a cluster; none of a network without one."""
    return (footprint[place].pods,) if place in footprint.names else ()


def node_rules(
    cluster: Cluster,
    own: IPv4Network,
    peers: Iterable[Cluster],
    machines: Sequence[IPv4Address] = (),
) -> str:
    """The rules of one of a cluster's nodes; towards ``peers`` pods keep their own address.

    ``own``: the range of the node's pods; ``machines``: the addresses of those on the cluster's own
    network, with which pods speak past the router. What one of the cluster's pods sends another
    passes two nodes when they lie on two; it is counted where it arrives.
    """
    return _template("node.nft.j2").render(
        name=cluster.name,
        pods=cluster.pods,
        senders=_some((cluster.pods, *machines)),
        own=_some((own, *machines)),
        keep_source=(cluster.pods, *(peer.pods for peer in peers)),
        kinds=NODE_KINDS,
        plain_text=PLAIN_TEXT,
    )


def _some(addresses: Sequence[IPv4Network | IPv4Address]) -> str:
    """One address or range, or several, as nft matches them."""
    listed = ", ".join(map(str, addresses))
    return listed if len(addresses) == 1 else f"{{ {listed} }}"


def host_rules(table: str, bridges: Sequence[Bridge]) -> str:
    """The host's rules of one run."""
    return _template("host.nft.j2").render(table=table, bridges=bridges)


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # when rules are written

    templates = Environment(
        loader=PackageLoader("meshproof.lab.network"),
        undefined=StrictUndefined,
        autoescape=False,  # nft rules, not HTML
        keep_trailing_newline=True,
    )
    return templates.get_template(name)


def routes(networks: Mapping[IPv4Network, IPv4Address]) -> str:
    """A batch for `ip -batch -` that sends each network by its next hop."""
    return "".join(f"route replace {net} via {hop}\n" for net, hop in networks.items())
