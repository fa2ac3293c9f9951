"""How a run would go: which worker would do what, in which order, and how long that takes by what
earlier runs took; and how its deployments are shared out among machines."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from meshproof.report.times import Shape, Times
from meshproof.run.plan import Plan, Unit

# Where no run was recorded yet: a mesh and its clusters take as long as so many tests.
_INSTALLED_AS = 6.0
_CLUSTER_AS = 4.0


@dataclass(frozen=True, eq=False)
class Part:
    """A deployment's share of a run.

    ``name``: its id; ``footprint``: the clusters that it stands on, of which there are
    ``clusters``; ``installation``: what is the same for deployments that share one; ``tests``: the
    ids of its tests, each with its behaviour's id.
    """

    name: str
    shape: Shape
    footprint: Hashable
    clusters: int
    installation: Hashable
    tests: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Turn:
    """What a worker does of a deployment. ``begins``: seconds since the run's begin."""

    part: Part
    worker: int
    begins: float
    takes: float


@dataclass(frozen=True)
class Costs:
    """What each thing takes, in seconds, or where no earlier run tells, in tests."""

    times: Times

    @property
    def known(self) -> bool:
        """Whether these are seconds."""
        return bool(self.times.runs)

    def clusters(self, part: Part) -> float:
        """The clusters of a deployment, brought up."""
        if not self.known:
            return _CLUSTER_AS * part.clusters
        return self.times.of_clusters(part.clusters)

    def test(self, part: Part, test: str) -> float:
        """One test."""
        return self.times.of_test(part.tests[test], part.shape) if self.known else 1.0

    def installed(self, part: Part) -> float:
        """A deployment, installed on clusters that are there, and settled."""
        return self.times.of_installation(part.shape) if self.known else _INSTALLED_AS

    def judged(self, part: Part) -> float:
        """All tests of a deployment."""
        return sum(self.test(part, one) for one in part.tests)

    def all_of(self, parts: Sequence[Part]) -> float:
        """These deployments one after another, where clusters and installations that several of
        them share are made once."""
        clusters = {part.footprint: part for part in parts}
        installed = {(part.footprint, part.installation): part for part in reversed(parts)}
        made = sum(map(self.clusters, clusters.values()))
        return made + sum(map(self.installed, installed.values())) + sum(map(self.judged, parts))


def forecast(
    parts: Sequence[Part], units: Sequence[Unit], workers: int, costs: Costs
) -> list[Turn]:
    """Who does what when, in the order in which it begins. ``units``: the tests as they are given
    out."""
    whose = {test: part for part in parts for test in part.tests}
    plan, at = Plan(units), dict[int, Hashable]()
    free = [(0.0, number) for number in range(1, workers + 1)]
    turns: list[Turn] = []
    while free:
        now, worker = heapq.heappop(free)
        unit = plan.take(str(worker))
        if unit is None:
            continue
        mine = list(dict.fromkeys(whose[test] for test in unit.tests))
        # As soon as the clusters are up, others may help.
        plan.note(str(worker), unit.tests[0], set_up=True)
        until = now
        for number, part in enumerate(mine):
            takes = costs.judged(part)
            # What is given out together shares one installation.
            takes += costs.installed(part) if not number else 0.0
            takes += costs.clusters(part) if at.get(worker) != part.footprint else 0.0
            at[worker] = part.footprint
            turns.append(Turn(part, worker, until, takes))
            until += takes
        heapq.heappush(free, (until, worker))
    return sorted(turns, key=lambda one: (one.begins, one.worker))


def shards(parts: Sequence[Part], number: int, costs: Costs) -> list[list[Part]]:
    """The deployments, shared out among so many machines at most, so that all take about as long;
    none has nothing to do.

    The longest first, each to the machine that has done soonest with it: clusters that a machine
    makes anyway are made once.
    """
    order, found = count(), [list[Part]() for _ in range(number)]
    for part in sorted(parts, key=lambda one: (-costs.all_of([one]), next(order))):
        min(found, key=lambda own: costs.all_of([*own, part])).append(part)
    return [own for own in found if own]
