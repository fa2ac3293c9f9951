"""Breaks the lab on purpose, for the tests of the bench itself; heals it at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address

from meshproof.kube.cluster import Node
from meshproof.lab.base import Lab
from meshproof.lab.network.rules import TABLE, node_rules
from meshproof.lab.ownership import table_name
from meshproof.model import Flow, Pair, Wiring


@contextmanager
def unsealed_host(lab: Lab) -> Iterator[None]:
    """The host's rules of this lab forward whatever they are given; afterwards as before."""
    change = ["nft", "flush", "chain", "inet", table_name(lab.id)]
    for chain in ("forward", "prerouting"):
        lab.shell.run([*change, chain])
    try:
        yield
    finally:
        lab.seal()


@contextmanager
def rewired(lab: Lab, wiring: Wiring) -> Iterator[None]:
    """The lab is wired otherwise inside the block; afterwards as before."""
    before = lab.wiring
    try:
        lab.rewire(wiring)
        yield
    finally:
        lab.rewire(before)


def hole(lab: Lab, pair: Pair) -> Wiring:
    """The lab's own wiring, but that the router lets everything through from the first cluster to
    the second."""
    flows = {**lab.wiring.flows, pair: lab.wiring.between(*pair) | {Flow.ANYTHING}}
    return replace(lab.wiring, name=f"a hole from {' to '.join(pair)}", flows=flows)


def closed(lab: Lab, pair: Pair) -> Wiring:
    """The lab's own wiring, but that the router lets nothing through from the first cluster to the
    second."""
    flows: dict[Pair, frozenset[Flow]] = {**lab.wiring.flows, pair: frozenset()}
    return replace(lab.wiring, name=f"closed from {' to '.join(pair)}", flows=flows)


def cut_off(lab: Lab, *clusters: str) -> Wiring:
    """The lab's own wiring, but that the router lets nothing through to these clusters or from
    them."""
    own, lost = lab.wiring, set(clusters)
    flows = {pair: own.flows[pair] if lost.isdisjoint(pair) else frozenset() for pair in own.flows}
    return replace(own, name=f"{' and '.join(clusters)} cut off", flows=flows)


@contextmanager
def open_flows_kept(lab: Lab) -> Iterator[None]:
    """The router lets through what belongs to connections that are open already, whatever its
    wiring says; afterwards as before."""
    rule = f"insert rule inet {TABLE} forward tcp flags & (fin | syn | rst | ack) != syn accept\n"
    lab.engine.exec(lab.router.container, ["nft", "-f", "-"], input=rule)
    try:
        yield
    finally:
        lab.rewire(lab.wiring)


@contextmanager
def sent_away(lab: Lab, cluster: str, address: IPv4Address) -> Iterator[None]:
    """The nodes of a cluster send what is for an address of its own pods to the router; afterwards
    as before."""
    broken = lab.clusters[cluster]
    route = (f"{address}/32", "via", str(lab.subnets[cluster].router))
    try:
        for node in broken.nodes:
            broken.on_node(node, "ip", "route", "prepend", *route)
        yield
    finally:
        for node in broken.nodes:
            broken.on_node(node, "ip", "route", "delete", *route, check=False)


@contextmanager
def somebody_outside(lab: Lab, address: IPv4Address) -> Iterator[None]:
    """The router itself has an address that is nowhere in the lab, and so answers there, if only to
    refuse; afterwards nobody has it."""
    where = (f"{address}/32", "dev", "nowhere")
    lab.engine.exec(lab.router.container, ["ip", "address", "add", *where])
    try:
        yield
    finally:
        lab.engine.exec(lab.router.container, ["ip", "address", "delete", *where])


@contextmanager
def masquerading(lab: Lab, cluster: str) -> Iterator[None]:
    """The nodes of one cluster hide their pods, though the wiring is flat; afterwards as before."""
    broken = lab.clusters[cluster]
    for node in broken.nodes:
        broken.on_node(node, "nft", "-f", "-", input=node_rules(broken.spec, node.pods, []))
    try:
        yield
    finally:
        lab.rewire(lab.wiring)


@contextmanager
def without_route_to(lab: Lab, node: Node) -> Iterator[None]:
    """The router knows no way to the pods of one node; afterwards as before."""
    lab.engine.exec(lab.router.container, ["ip", "route", "delete", str(node.pods)])
    try:
        yield
    finally:
        lab.rewire(lab.wiring)
