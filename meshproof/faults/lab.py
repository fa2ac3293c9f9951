"""Breaks the lab on purpose, for the tests of the bench itself; heals it at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.kube.cluster import Node
from meshproof.lab.lab import Lab
from meshproof.lab.network.rules import node_rules
from meshproof.lab.ownership import table_name


@contextmanager
def unsealed_host(lab: Lab) -> Iterator[None]:
    """The host's rules of this lab forward whatever they are given; afterwards as before."""
    change = ["nft", "flush", "chain", "inet", table_name(lab.id)]
    for chain in ("forward", "prerouting"):
        lab.engine.shell.run([*change, chain])
    try:
        yield
    finally:
        lab.seal()


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
