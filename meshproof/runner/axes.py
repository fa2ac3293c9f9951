"""From where and to where a test runs: once with each cluster, version, pair or machine that it
asks for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import permutations

from meshproof.model import Exposure, Stage, Topology


@dataclass(frozen=True)
class Axis:
    """One way to run a test several times on a deployment.

    ``fixtures``: what it asks for; ``values``: what these are each time, on a topology, or along
    the stages of an upgrade; ``ends``: the two clusters that a value is about, if it is about two;
    ``id``: a value in a test's id; ``lacks``:
    the reason where there is no value.
    """

    fixtures: tuple[str, ...]
    values: Callable[[Topology, Sequence[Stage]], Sequence[tuple[object, ...]]]
    id: Callable[[tuple[object, ...]], str]
    lacks: str
    ends: Callable[[Topology, tuple[object, ...]], tuple[str, str]] | None = None

    def on(
        self, topology: Topology, networks: int | None, course: Sequence[Stage] = ()
    ) -> list[tuple[object, ...]]:
        """The values on a topology. ``networks``: 1 for those whose clusters are on one network,
        2 for those whose are not; for an axis that is about two clusters. ``course``: the stages of
        an upgrade, if it is on its way through one."""
        values = list(self.values(topology, course))
        if networks is None or self.ends is None:
            return values
        ends = self.ends
        return [
            value
            for value in values
            if topology.same_network(*ends(topology, value)) is (networks == 1)
        ]


def axis_of(fixtures: Collection[str]) -> Axis | None:
    """The axis of a test that asks for these fixtures; None for one that runs once."""
    return next((axis for axis in _AXES if set(axis.fixtures) <= set(fixtures)), None)


def _homes(topology: Topology, _: Sequence[Stage]) -> list[tuple[object, ...]]:
    return [(name,) for name in dict.fromkeys(topology.versions.values())]


def _imports(topology: Topology, _: Sequence[Stage]) -> list[tuple[object, ...]]:
    return list(topology.imports)


def _import_id(value: tuple[object, ...]) -> str:
    importer, imported = value
    assert isinstance(imported, Exposure)
    return f"from-{importer}-to-{imported.host}"


def _import_ends(topology: Topology, value: tuple[object, ...]) -> tuple[str, str]:
    importer, imported = value
    assert isinstance(imported, Exposure)
    return str(importer), topology.providers(imported)[0]


NO_UPGRADE = "on the way to another Istio only: 'meshproof upgrade'"
"""Why what is about an upgrade does not apply."""
_AXES = (
    Axis(
        ("importer", "imported"),
        _imports,
        _import_id,
        "needs a service that another mesh exposes",
        _import_ends,
    ),
    Axis(
        ("caller", "target"),
        lambda topology, _: topology.pairs,
        lambda value: f"from-{value[0]}-to-{value[1]}",
        "needs a version of helloworld in another cluster",
        lambda topology, value: (str(value[0]), topology.versions[str(value[1])]),
    ),
    Axis(
        ("pair",),
        lambda topology, _: [(pair,) for pair in permutations(topology.names, 2)],
        lambda value: "{}-to-{}".format(*value[0]),  # type: ignore[misc]
        "needs several clusters",
        lambda topology, value: value[0],  # type: ignore[arg-type, return-value]
    ),
    Axis(("home",), _homes, lambda value: f"in-{value[0]}", "needs a version of helloworld"),
    Axis(
        ("caller",),
        lambda topology, _: [(name,) for name in topology.workloads],
        lambda value: f"from-{value[0]}",
        "needs a cluster with workloads",
    ),
    Axis(
        ("calling",),
        lambda topology, _: [
            (name,) for name in (*topology.workloads, *(one.name for one in topology.machines))
        ],
        lambda value: f"from-{value[0]}",
        "needs a cluster with workloads",
    ),
    Axis(
        ("machine",),
        lambda topology, _: [(one.name,) for one in topology.machines],
        lambda value: f"on-{value[0]}",
        "needs machines outside Kubernetes",
    ),
    Axis(
        ("step",),
        lambda _, course: [(one.number,) for one in course],
        lambda value: f"step-{value[0]}",
        NO_UPGRADE,
    ),
)
