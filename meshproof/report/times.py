"""What tests and bringing things up have taken in earlier runs, and what it is likely to take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from meshproof.events import Data, Event, read_some
from meshproof.model import installer_words
from meshproof.report.record import RECORD, Run
from meshproof.report.timeline import spans

_CLUSTERS = ("clusters", "DNS")
_KINDS = frozenset({"step-begin", "step-end", "test"})
_MOST_RUNS = 5
_LARGEST = 64 * 2**20
"""Bytes: larger records take longer to be read than an estimate is worth."""

Shape = tuple[str, ...]


def shape_of(deployment: Data) -> Shape:
    """What of a deployment decides how long it takes: not its versions. As a record has it."""
    if "topology" not in deployment:
        return (*deployment["clusters"].values(), deployment["wiring"])
    way = deployment.get("upgrade")
    words: Shape = (way["words"],) if way else ()
    words += installer_words(deployment.get("installer"))
    return (deployment["topology"], deployment["mtls"], *deployment["variants"], *words)


@dataclass(frozen=True)
class Times:
    """Seconds, by what took them, of all ``runs`` (the folders of their records, the newest first).

    ``clusters``: bringing clusters up, by how many there are; ``installed``: what else came before
    a deployment's first verdict; ``tests``: from one verdict to the next, by behaviour and shape.
    """

    runs: Sequence[Path] = ()
    clusters: Mapping[int, Sequence[float]] = field(default_factory=dict)
    installed: Mapping[Shape, Sequence[float]] = field(default_factory=dict)
    tests: Mapping[tuple[str, Shape], Sequence[float]] = field(default_factory=dict)

    def of_clusters(self, number: int) -> float:
        """So many clusters, brought up."""
        if number in self.clusters:
            return median(self.clusters[number])
        each = [one / known for known, own in self.clusters.items() for one in own]
        return number * median(each) if each else 0.0

    def of_installation(self, shape: Shape) -> float:
        """A mesh of this shape, installed and settled; where there was none, any."""
        own = self.installed.get(shape) or _all(self.installed.values())
        return median(own) if own else 0.0

    def of_test(self, behaviour: str, shape: Shape) -> float:
        """A test of a behaviour; where it was not judged there, elsewhere; where never, any."""
        if (behaviour, shape) in self.tests:
            return median(self.tests[behaviour, shape])
        elsewhere = _all(own for one, own in self.tests.items() if one[0] == behaviour)
        found = elsewhere or _all(self.tests.values())
        return median(found) if found else 0.0


def times_in(folder: Path) -> Times:
    """What the newest runs below a folder of reports took; what of their records cannot be read is
    passed over."""
    found = []
    for path in _newest(folder):
        # One that cannot be read tells nothing.
        with suppress(OSError):
            if path.stat().st_size <= _LARGEST:
                found.append(Run(path.parent, read_some(path, _KINDS)))
    return times_of(found)


def times_of(runs: Iterable[Run]) -> Times:
    """What these runs took."""
    told = []
    clusters: dict[int, list[float]] = defaultdict(list)
    installed: dict[Shape, list[float]] = defaultdict(list)
    tests: dict[tuple[str, Shape], list[float]] = defaultdict(list)
    for run in runs:
        judged = [one for one in run.events if one.kind == "test"]
        if not judged:
            continue
        told.append(run.folder)
        deployments = {one.data["deployment"]["id"]: one.data["deployment"] for one in judged}
        for span in spans(run.events):
            made = sum(span.steps.get(name, 0.0) for name in _CLUSTERS)
            about = deployments[span.deployment]
            if made:
                clusters[_size(about)].append(made)
            rest = sum(own for name, own in span.steps.items() if name not in _CLUSTERS)
            if rest:
                installed[shape_of(about)].append(rest)
        for behaviour, shape, seconds in _tested(judged):
            tests[behaviour, shape].append(seconds)
    return Times(told, clusters, installed, tests)


def _tested(judged: Sequence[Event]) -> Iterable[tuple[str, Shape, float]]:
    """Each test that held, with what it took: since the verdict before, of the same worker on the
    same deployment, or by itself where it was the first there."""
    before: dict[str, Event] = {}
    for one in judged:
        last, whose = before.get(worker := str(one.data.get("worker", ""))), one.data["deployment"]
        alone = last is None or last.data["deployment"]["id"] != whose["id"]
        before[worker] = one
        if one.data["outcome"] in ("PASS", "KNOWN"):
            seconds = one.data["seconds"] if alone or last is None else one.at - last.at
            yield one.data["behaviour"], shape_of(whose), max(0.0, seconds)


def _size(deployment: Data) -> int:
    """How many clusters a deployment has."""
    return len(deployment.get("istio") or deployment["clusters"])


def _newest(folder: Path) -> list[Path]:
    """The newest records below a folder, the newest first: runs' folders begin with their time."""
    try:
        found = [one / RECORD for one in folder.iterdir() if (one / RECORD).is_file()]
    except OSError:
        return []
    return sorted(found, key=lambda one: one.parent.name, reverse=True)[:_MOST_RUNS]


def _all(found: Iterable[Sequence[float]]) -> list[float]:
    return [one for own in found for one in own]
