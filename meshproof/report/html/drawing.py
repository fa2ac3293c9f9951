"""A topology as a picture: clusters in their networks, control planes, gateways, who reads whom,
and the calls between clusters that a run has seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from meshproof.events import Data
from meshproof.report.html.flows import ways_between
from meshproof.report.html.material import Material, Test, worst

_WIDE, _HIGH, _GAP, _APART, _PAD = 190, 118, 34, 70, 14
_READS, _CALLS = 34, 46
_MARGIN = 16


@dataclass(frozen=True)
class Box:
    """A cluster. ``x``: of its left side; ``lines``: what is written in it."""

    x: int
    name: str
    role: str
    lines: Sequence[str]
    gateway: str


@dataclass(frozen=True)
class Net:
    """A network's frame around its clusters."""

    x: int
    width: int
    name: str


@dataclass(frozen=True)
class Arc:
    """An arrow over the clusters, or below them: from where to where, and how far out it goes."""

    x1: int
    x2: int
    depth: int
    outcome: str
    text: str
    words: str


@dataclass
class Drawing:
    """A topology with what was seen on it. ``top``: where the clusters begin; ``passes``: what the
    router lets through, in words, for each ordered pair; ``deployments``: what it was seen on."""

    name: str
    boxes: Sequence[Box]
    nets: Sequence[Net]
    reads: Sequence[Arc]
    calls: Sequence[Arc]
    passes: Sequence[tuple[str, str, str]]
    deployments: list[str] = field(default_factory=list)
    high: int = _HIGH

    @property
    def top(self) -> int:
        """Where the clusters begin, below the arrows of who reads whom."""
        return _MARGIN + 26 + max((arc.depth for arc in self.reads), default=0)

    @property
    def width(self) -> int:
        """Of the whole picture."""
        return max(net.x + net.width for net in self.nets) + _MARGIN

    @property
    def height(self) -> int:
        """Of the whole picture."""
        below = max((arc.depth for arc in self.calls), default=0)
        return self.top + self.high + _PAD + below + 26

    @property
    def words(self) -> str:
        """The picture in words."""
        said = [f"{box.name}, {', '.join((box.role, *box.lines))}" for box in self.boxes]
        said += [arc.words for arc in (*self.reads, *self.calls)]
        return "; ".join(said)


def drawings(material: Material) -> list[Drawing]:
    """A drawing of each topology that the record describes, with the calls of all tests on it."""
    found: dict[str, list[str]] = {}
    for name in material.topologies:
        deployment = material.deployments.get(name, {})
        found.setdefault(deployment.get("topology", name), []).append(name)
    return [
        _drawing(name, material.topologies[ids[0]], ids, material.tests)
        for name, ids in found.items()
    ]


def drawn(name: str, described: Data) -> Drawing:
    """A topology as it is, without any calls. ``described``: as the record's ``topologies`` say."""
    return _drawing(name, described, [], [])


def _drawing(name: str, described: Data, ids: Sequence[str], tests: Iterable[Test]) -> Drawing:
    clusters = _by_network(described["clusters"])
    places, nets = _places(clusters)
    here = [
        one
        for one in tests
        if one.judged.deployment in ids and one.judged.outcome != "skipped" and not one.is_sabotage
    ]
    boxes = [_box(one, places[one["name"]]) for one in clusters]
    reads = [
        _read(one["name"], read, places)
        for one in clusters
        for read in one.get("reads", [])
        if read in places
    ]
    calls = _calls(here, places)
    passes = [
        (one["caller"], one["called"], ", ".join(map(_flow, one["flows"])) or "nothing")
        for one in described["passes"]
    ]
    return Drawing(name, boxes, nets, reads, calls, passes, list(ids))


def _by_network(clusters: Sequence[Data]) -> list[Data]:
    """The clusters, those of one network beside each other."""
    networks = list(dict.fromkeys(_network(one) for one in clusters))
    return sorted(clusters, key=lambda one: networks.index(_network(one)))


def _network(cluster: Data) -> str:
    """Clusters without a mesh are on networks that the wiring alone makes one, or does not."""
    return str(cluster.get("network") or cluster["name"])


def _places(clusters: Sequence[Data]) -> tuple[dict[str, int], list[Net]]:
    places: dict[str, int] = {}
    nets: list[Net] = []
    x = _MARGIN + _PAD
    for at, one in enumerate(clusters):
        network = _network(one)
        if at and network != _network(clusters[at - 1]):
            x += _APART
        elif at:
            x += _GAP
        places[one["name"]] = x
        begin = x - _PAD
        if nets and nets[-1].name == network:
            begin = nets.pop().x
        x += _WIDE
        nets.append(Net(begin, x + _PAD - begin, network))
    return places, nets


def _box(cluster: Data, x: int) -> Box:
    role, name = cluster.get("role", ""), cluster["name"]
    said = {
        "primary": "primary: runs istiod",
        "external": "external control plane",
        "remote": f"remote: istiod of {cluster.get('primary', '')}",
    }.get(role, role or "no mesh")
    versions = cluster.get("versions", {})
    lines = [", ".join(f"{n} of {one}" if n > 1 else one for one, n in versions.items())]
    lines += [f"pods {cluster['pods']}"]
    lines += [cluster["trust_domain"]] if cluster.get("trust_domain") else []
    gateway = cluster.get("gateway")
    named = " by host name" if gateway and gateway["hostname"] else ""
    text = f"gateway {gateway['port']}{named}" if gateway else ""
    return Box(x, name, said, [line for line in lines if line], text)


def _read(reader: str, read: str, places: Mapping[str, int]) -> Arc:
    one, other = _ends(places, reader, read)
    depth = _READS * _distance(places, reader, read) + _stagger(one, other)
    return Arc(
        one, other, depth, "", "reads", f"istiod in {reader} reads {read} by a remote secret"
    )


def _calls(tests: Iterable[Test], places: Mapping[str, int]) -> list[Arc]:
    """An arrow for each ordered pair of clusters between which calls were answered."""
    counts: dict[tuple[str, str], int] = {}
    by: dict[tuple[str, str], str] = {}
    outcomes: dict[tuple[str, str], set[str]] = {}
    for test in tests:
        for caller, cluster, via, count in ways_between(test.told.calls, test.gateways):
            pair = (caller, cluster)
            if caller != cluster and caller in places and cluster in places:
                counts[pair] = counts.get(pair, 0) + count
                by[pair] = via or by.get(pair, "")
                outcomes.setdefault(pair, set()).add(test.judged.outcome)
    return [_call(pair, counts[pair], by[pair], outcomes[pair], places) for pair in counts]


def _call(
    pair: tuple[str, str],
    count: int,
    via: str,
    outcomes: Iterable[str],
    places: Mapping[str, int],
) -> Arc:
    one, other = _ends(places, *pair)
    way = f"by the gateway of {via}" if via else "directly"
    depth = _CALLS * _distance(places, *pair) + _stagger(one, other)
    words = f"{count} calls from {pair[0]} answered in {pair[1]}, {way}"
    text = f"{count} {'by gateway' if via else 'direct'}"
    return Arc(one, other, depth, worst(outcomes), text, words)


def _ends(places: Mapping[str, int], one: str, other: str) -> tuple[int, int]:
    """Where an arrow begins and ends: a little apart from those of the other direction."""
    aside = 16 if places[one] < places[other] else -16
    return places[one] + _WIDE // 2 + aside, places[other] + _WIDE // 2 + aside


def _distance(places: Mapping[str, int], one: str, other: str) -> int:
    order = sorted(places, key=lambda name: places[name])
    return abs(order.index(one) - order.index(other))


def _stagger(one: int, other: int) -> int:
    return 0 if one < other else 22


def _flow(flow: str) -> str:
    names = {"api": "API server", "gateway": "gateways", "pod": "pods", "anything": "everything"}
    return names.get(flow, flow)
