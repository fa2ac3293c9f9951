"""What router and nodes have counted, and the rules and routes that they went by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from meshproof.engine import Engine
from meshproof.evidence.source import Clock, Found, Piece, Source, parts
from meshproof.lab.base import Lab
from meshproof.lab.network.counters import Counters, parse
from meshproof.lab.network.host import dropped_by_host
from meshproof.lab.network.rules import TABLE

_ROUTES = ("ip", "route")
_ADDRESSES = ("ip", "address")


def network_pieces(
    lab: Lab, engine: Engine, sources: Sequence[Source], clock: Clock
) -> list[Piece]:
    """The files about the network. ``engine``: the one to ask, the lab's own may be called off."""
    router = Piece("40-router-counters.txt", partial(_router, lab, engine, sources, clock))
    nodes = [Piece(f"41-{source.name}-node.txt", partial(_nodes, source)) for source in sources]
    return [router, *nodes]


def _router(lab: Lab, engine: Engine, sources: Sequence[Source], clock: Clock) -> Found:
    def on_router(*argv: str) -> str:
        return engine.exec(lab.router.container, argv, timeout=clock.left()).stdout

    counted = partial(_listing, lambda: on_router("nft", "-j", "list", "table", "inet", TABLE))
    found: list[tuple[str, Callable[[], str]]] = [("counted by the router", counted)]
    for source in sources:
        for node in source.nodes:
            ask = partial(source.on_node, node, "nft", "-j", "list", "table", "ip", TABLE)
            found.append((f"counted by {source.name}'s {node.container}", partial(_listing, ask)))
    found += [
        ("packets that the host was asked to forward", lambda: _by_host(lab, engine)),
        ("routes", lambda: on_router(*_ROUTES)),
        ("addresses", lambda: on_router(*_ADDRESSES)),
        ("rules", lambda: on_router("nft", "list", "table", "inet", TABLE)),
    ]
    return parts(found)


def _by_host(lab: Lab, engine: Engine) -> str:
    return str(dropped_by_host(engine.shell, lab.id))


def _listing(ask: Callable[[], str]) -> str:
    return counted(parse(ask()))


def counted(counters: Counters) -> str:
    """Counters that counted anything, a line each; then the conversations."""
    lines = [f"{place} {kind}: {n}" for (place, kind), n in sorted(counters.packets.items()) if n]
    flows = [
        f"{place} {kind} {flow.source} to {flow.target}:{flow.port}: {n}"
        for (place, kind, flow), n in counters.flows.items()
        if n
    ]
    return "\n".join([*lines, *sorted(flows)]) or "nothing counted"


def _nodes(source: Source) -> Found:
    asked = (_ROUTES, _ADDRESSES, ("nft", "list", "table", "ip", TABLE))
    return parts(
        (f"{node.container}: {' '.join(argv)}", partial(source.on_node, node, *argv))
        for node in source.nodes
        for argv in asked
    )
