"""Calls as a picture: who called, by which gateway, who answered, how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from meshproof.events import Data

_MOST = 8
_ROW, _TOP, _WIDTH = 34, 18, 664
_LEFT, _MIDDLE, _RIGHT = 2, 246, 490
_BOX, _HALF = 172, 12
_OK = ("200", "answered")


@dataclass(frozen=True)
class Way:
    """How some calls went. ``via``: the gateway, or how else; ``answerer``: who answered, or how
    they ended; ``held``: whether they were answered."""

    caller: str
    via: str
    answerer: str
    held: bool


@dataclass(frozen=True)
class Node:
    """A box of the picture, by the middle of its left side."""

    x: int
    y: int
    text: str
    kind: str


@dataclass(frozen=True)
class Edge:
    """An arrow between two boxes, with how many calls went there."""

    x1: int
    y1: int
    x2: int
    y2: int
    count: int
    width: str
    held: bool


@dataclass(frozen=True)
class Picture:
    """``anchor``: by which the page draws it again where the same comes again; ``words``: the same
    in words; ``more``: how many ways are not drawn."""

    anchor: str
    width: int
    height: int
    nodes: Sequence[Node]
    edges: Sequence[Edge]
    words: str
    more: int


def ways(calls: Iterable[Data], gateways: Mapping[str, str]) -> Counter[Way]:
    """How many calls went each way. ``gateways``: the cluster of each, by "address:port"."""
    found: Counter[Way] = Counter()
    for batch in calls:
        name = batch["caller"].partition("/")[2] or batch["caller"]
        caller = f"{_app(name)} in {batch['cluster']}"
        for route in batch.get("routes", []):
            way = Way(caller, _via(batch, route, gateways), *_answerer(route))
            found[way] += route["calls"]
    return found


class Pictures:
    """The pictures that a page needs, each drawn once: most tests of a run call alike."""

    def __init__(self) -> None:
        self._drawn: dict[frozenset[tuple[Way, int]], Picture] = {}

    @property
    def all(self) -> list[Picture]:
        """Those that were asked for until now."""
        return list(self._drawn.values())

    def of(self, found: Counter[Way]) -> Picture | None:
        """The picture of these ways, the most used ones; None where there are no calls."""
        if not found:
            return None
        key = frozenset(found.items())
        if key not in self._drawn:
            self._drawn[key] = _picture(found, f"p{len(self._drawn)}")
        return self._drawn[key]


def _picture(found: Counter[Way], anchor: str) -> Picture:
    drawn = dict(found.most_common(_MOST))
    left = _column(_LEFT, (one.caller for one in drawn), "who")
    middle = _column(_MIDDLE, (one.via for one in drawn), "via")
    right = _column(_RIGHT, (one.answerer for one in drawn), "who")
    first: Counter[tuple[str, str, bool]] = Counter()
    second: Counter[tuple[str, str, bool]] = Counter()
    for way, count in drawn.items():
        first[way.caller, way.via, way.held] += count
        second[way.via, way.answerer, way.held] += count
    most = max(*first.values(), *second.values())
    edges = [_edge(left[a], middle[b], n, most, held) for (a, b, held), n in first.items()]
    edges += [_edge(middle[a], right[b], n, most, held) for (a, b, held), n in second.items()]
    nodes = [*left.values(), *middle.values(), *right.values()]
    height = max(node.y for node in nodes) + _HALF + 2
    words = "; ".join(_said(way, count) for way, count in drawn.items())
    return Picture(anchor, _WIDTH, height, nodes, edges, words, len(found) - len(drawn))


def _app(pod: str) -> str:
    """A pod's name without what tells it from its Deployment's others."""
    parts = pod.split("-")
    return "-".join(parts[:-2]) if len(parts) > 2 else pod


def _via(batch: Data, route: Data, gateways: Mapping[str, str]) -> str:
    upstream = route["upstream"]
    if upstream in gateways:
        return f"by {gateways[upstream]}'s gateway, {upstream.rpartition(':')[2]}"
    if not upstream:
        sidecar = batch.get("sidecar", True)
        return "no upstream chosen" if sidecar else "without a sidecar"
    return "from pod to pod" if route["cluster"] else f"to {upstream}"


def _answerer(route: Data) -> tuple[str, bool]:
    held = route["answer"] in _OK
    if route["version"]:
        answer = "" if held else f": {route['answer']}"
        return f"{route['version']} in {route['cluster'] or 'no known cluster'}{answer}", held
    return route["answer"], held


def _column(x: int, texts: Iterable[str], kind: str) -> dict[str, Node]:
    distinct = dict.fromkeys(texts)
    return {text: Node(x, _TOP + _ROW * at, text, kind) for at, text in enumerate(distinct)}


def _edge(one: Node, other: Node, count: int, most: int, held: bool) -> Edge:
    width = f"{1.5 + 3.5 * count / most:.2g}"
    return Edge(one.x + _BOX, one.y, other.x, other.y, count, width, held)


def _said(way: Way, count: int) -> str:
    times = f"{count} call{'s' if count != 1 else ''}"
    return f"{times} from {way.caller} {way.via}: {way.answerer}"


def ways_between(
    calls: Iterable[Data], gateways: Mapping[str, str]
) -> Iterable[tuple[str, str, str, int]]:
    """Of answered calls the caller's cluster, the answerer's, the cluster of the gateway between
    them ("" for none), and how many they were."""
    for batch in calls:
        for route in batch.get("routes", []):
            if route["cluster"] and route["answer"] in _OK:
                via = gateways.get(route["upstream"], "")
                yield batch["cluster"], route["cluster"], via, route["calls"]
