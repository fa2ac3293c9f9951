"""What changed from one record to another: by behaviour and deployment, whatever the versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_DID_NOT_HOLD, EXIT_HELD
from meshproof.events import Data
from meshproof.report.compare.cells import Cell, cells, deployments, shape
from meshproof.report.outcomes import KNOWN
from meshproof.report.record import Record
from meshproof.report.timeline import spans

_HELD, _FAILED = "PASS", "FAIL"
_NOT_KEPT = (_FAILED, KNOWN)
_TIMES, _SECONDS = 1.5, 5.0
"""Slower is what takes half as long again, and five seconds more: less is a busy machine."""
_CHANCE = 0.01
"""Lossier is a share of lost calls that chance alone brings about more rarely than this."""


class Kind(StrEnum):
    """What became of a behaviour on a deployment; in the order in which it is told."""

    BROKE = "broke"
    UNCLEAR = "cannot be told"
    STILL = "still does not hold"
    MENDED = "mended"
    TOLD = "can be told now, and holds"
    NEW = "new"
    GONE = "gone"
    SAME = "holds as before"


@dataclass(frozen=True)
class Change:
    """``before``, ``after``: the cell in either record, None where it is not there; ``place``: the
    deployment, without versions where they differ; ``declared``: of what is gone, whether it is
    said not to apply."""

    behaviour: str
    sentence: str
    place: str
    before: Cell | None
    after: Cell | None
    declared: bool = False

    @cached_property
    def kind(self) -> Kind:
        """What became of it."""
        if self.before is None:
            return Kind.NEW
        return Kind.GONE if self.after is None else _kind(self.before.outcome, self.after.outcome)

    @property
    def leaves_open(self) -> bool:
        """Whether it leaves open if something broke."""
        if self.kind is Kind.NEW:
            return self.after is not None and self.after.outcome != _HELD
        return self.kind is Kind.UNCLEAR or (self.kind is Kind.GONE and not self.declared)

    @property
    def slower(self) -> bool:
        """Whether its tests held before and after, and took longer."""
        return self._both_held and _is_slower(self.times)

    @property
    def times(self) -> tuple[float, float]:
        """What its tests took before and after, in seconds."""
        one, other = self.before, self.after
        return one.seconds if one else 0.0, other.seconds if other else 0.0

    @cached_property
    def lossier(self) -> bool:
        """Whether it held before and after, and more calls than chance explains got no answer."""
        if self.before is None or self.after is None or not self._both_held:
            return False
        lost, calls = self.after.unanswered, self.after.calls
        lost_before, calls_before = self.before.unanswered, self.before.calls
        if not (lost and calls_before) or lost * calls_before <= lost_before * calls:
            return False
        from scipy.stats import fisher_exact  # a second to load

        table: Any = [[lost, calls - lost], [lost_before, calls_before - lost_before]]
        return float(fisher_exact(table, alternative="greater").pvalue) < _CHANCE

    @property
    def _both_held(self) -> bool:
        cells = (self.before, self.after)
        return all(one is not None and one.outcome == _HELD for one in cells)


@dataclass(frozen=True)
class Phase:
    """A part of bringing a deployment up that became slower, in seconds."""

    place: str
    name: str
    before: float
    after: float


@dataclass(frozen=True)
class Comparison:
    """Two records side by side."""

    before: Record
    after: Record
    changes: Sequence[Change]
    phases: Sequence[Phase]

    def of(self, kind: Kind) -> list[Change]:
        """The changes of a kind."""
        return [one for one in self.changes if one.kind is kind]

    @property
    def compared(self) -> int:
        """How many behaviours on deployments are in both."""
        return sum(one.before is not None and one.after is not None for one in self.changes)

    @property
    def exit_code(self) -> int:
        """1 when something broke; 2 when that cannot be told: something was not judged, or nothing
        is in both; else 0."""
        if self.of(Kind.BROKE):
            return EXIT_DID_NOT_HOLD
        is_open = not self.compared or any(one.leaves_open for one in self.changes)
        return EXIT_COULD_NOT_TELL if is_open else EXIT_HELD

    @property
    def line(self) -> str:
        """What it comes to, in one line."""
        words = {EXIT_HELD: "NOTHING BROKE", EXIT_DID_NOT_HOLD: "BROKE"}
        counts = {kind.value: len(self.of(kind)) for kind in Kind}
        counts |= {"slower": sum(one.slower for one in self.changes)}
        counts |= {"lossier": sum(one.lossier for one in self.changes)}
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        word = words.get(self.exit_code, "COULD NOT TELL")
        return f"{word}: {self.compared} behaviours on deployments compared; {told or 'none'}"


def compare(before: Record, after: Record) -> Comparison:
    """What changed from one record to the other."""
    places = matched(deployments(before), deployments(after))
    ones = {(one.behaviour, places[0][one.deployment]): one for one in cells(before)}
    others = {(one.behaviour, places[1][one.deployment]): one for one in cells(after)}
    changes = []
    for key in dict.fromkeys([*others, *ones]):
        one, other = ones.get(key), others.get(key)
        sentence = (other or ones[key]).cases[0].judged.sentence
        declared = other is None and _is_left_out(after, *key)
        changes.append(Change(key[0], sentence, key[1], one, other, declared))
    changes.sort(key=lambda one: list(Kind).index(one.kind))
    return Comparison(before, after, changes, list(_phases(before, after, places)))


def matched(
    before: Sequence[Data], after: Sequence[Data]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What the deployments of two records are called in their comparison, by their ids.

    One that both have is itself. Of the others two are one if they have the same shape, and are
    the only ones of it: there is no telling which of several belong together.
    """
    both = {one["id"] for one in before} & {one["id"] for one in after}
    shapes = [
        Counter(shape(one) for one in side if one["id"] not in both) for side in (before, after)
    ]

    def name(one: Data) -> str:
        own = shape(one)
        is_one = one["id"] not in both and all(counts[own] == 1 for counts in shapes)
        return own if is_one else str(one["id"])

    return {one["id"]: name(one) for one in before}, {one["id"]: name(one) for one in after}


def _is_left_out(record: Record, behaviour: str, place: str) -> bool:
    """Whether a record says that a behaviour does not apply to a deployment of that id, or of that
    shape: versions are the second word of an id."""
    return any(
        one.behaviour == behaviour and place in (one.deployment, _without_versions(one.deployment))
        for one in record.left_out
    )


def _without_versions(deployment: str) -> str:
    topology, _, rest = deployment.partition("+")
    return f"{topology}+{rest.partition('+')[2]}"


def _kind(before: str, after: str) -> Kind:
    if after in _NOT_KEPT:
        if before == _HELD or (before == KNOWN and after == _FAILED):
            return Kind.BROKE
        return Kind.STILL if before in _NOT_KEPT else Kind.UNCLEAR
    if after != _HELD:
        return Kind.UNCLEAR
    if before == _HELD:
        return Kind.SAME
    return Kind.MENDED if before in _NOT_KEPT else Kind.TOLD


def _phases(
    before: Record, after: Record, places: tuple[Mapping[str, str], Mapping[str, str]]
) -> Iterable[Phase]:
    """The parts of bringing deployments up that became slower."""
    ones, others = (
        _slowest(record, own) for record, own in zip((before, after), places, strict=True)
    )
    for (place, name), seconds in others.items():
        earlier = ones.get((place, name))
        if earlier is not None and _is_slower((earlier, seconds)):
            yield Phase(place, name, earlier, seconds)


def _slowest(record: Record, places: Mapping[str, str]) -> dict[tuple[str, str], float]:
    """What each part took, of each deployment; where it was brought up several times the most."""
    found: dict[tuple[str, str], float] = {}
    for run in record.runs:
        for span in spans(run.events):
            for name, seconds in span.steps.items():
                key = (places.get(span.deployment, span.deployment), name)
                found[key] = max(found.get(key, 0.0), seconds)
    return found


def _is_slower(times: tuple[float, float]) -> bool:
    before, after = times
    return after >= before * _TIMES and after - before >= _SECONDS
