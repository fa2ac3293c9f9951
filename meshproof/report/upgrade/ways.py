"""The upgrades of a record: their stages, each with what was found there and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshproof.events import Data, Event
from meshproof.report.cases import Case, cases
from meshproof.report.outcomes import WORST_FIRST
from meshproof.report.record import Record

PASS = "PASS"  # noqa: S105 - not a password


@dataclass(frozen=True)
class Row:
    """A stage. ``name``: of the step that led to it; ``seconds``: how long that took; ``settled``:
    how long it was then until the mesh was at rest, or was not waited for any longer, since
    something was ``missing``; ``calls``, ``lost``: until the next step was begun; ``how``: how they
    were lost; ``outage``: the longest time without an answer, in seconds; ``trouble``: why the step
    did not come to its end; ``cases``: the tests about it."""

    number: int
    name: str
    seconds: float
    settled: float
    missing: str
    calls: int
    lost: int
    how: str
    outage: float
    trouble: str
    cases: Sequence[Case]

    @property
    def held(self) -> int:
        """How many behaviours held."""
        return sum(one.judged.outcome == PASS for one in self.cases)

    @property
    def others(self) -> list[Case]:
        """The tests that did not hold, or could not be judged, the worst first."""
        found = [one for one in self.cases if one.judged.outcome != PASS]
        return sorted(found, key=lambda one: WORST_FIRST.index(one.judged.outcome))


@dataclass(frozen=True)
class Way:
    """An upgrade. ``planned``: how many stages it was to have; ``whole``: the tests about all of
    it; ``stream``: the calls that went through it, as the record has them, None where they are
    not there."""

    deployment: str
    old: str
    to: str
    strategy: str
    planned: int
    rows: Sequence[Row]
    whole: Sequence[Case]
    stream: Data | None

    @property
    def cases(self) -> list[Case]:
        """All tests about it."""
        return [*(case for row in self.rows for case in row.cases), *self.whole]

    @property
    def seconds(self) -> float:
        """How long its steps took together, with the mesh's coming to rest after each."""
        return sum(row.seconds + row.settled for row in self.rows)

    @property
    def lost(self) -> int:
        """How many calls were lost on the way."""
        return sum(row.lost for row in self.rows)

    @property
    def calls(self) -> int:
        """How many calls were made on the way."""
        return sum(row.calls for row in self.rows)

    @property
    def outcome(self) -> str:
        """The worst outcome of its tests; INCONCLUSIVE where there is none."""
        found = {case.judged.outcome for case in self.cases}
        return next((one for one in WORST_FIRST if one in found), "INCONCLUSIVE")


def ways(record: Record) -> list[Way]:
    """The upgrades of a record, in the order in which they were made; of one that was made in
    several runs the last."""
    every = cases(record)
    found: dict[str, Way] = {}
    for run in record.runs:
        for place, event in enumerate(run.events):
            if event.kind == "transition":
                own = [one for one in every if one.judged.deployment == event.data["deployment"]]
                stream = _stream_before(run.events[:place], event)
                found[event.data["deployment"]] = _way(event.data, own, stream)
    return list(found.values())


def _way(told: Data, own: Sequence[Case], stream: Data | None) -> Way:
    return Way(
        deployment=told["deployment"],
        old=told["from"],
        to=told["to"],
        strategy=told["strategy"],
        planned=told["planned"],
        rows=[_row(one, own) for one in told["stages"]],
        whole=[one for one in own if one.step is None],
        stream=stream,
    )


def _row(stage: Data, own: Iterable[Case]) -> Row:
    return Row(
        number=stage["number"],
        name=stage["name"],
        seconds=stage["seconds"],
        settled=stage["settled"],
        missing=stage.get("missing", ""),
        calls=stage["calls"],
        lost=stage["lost"],
        how=stage["how"],
        outage=stage["outage"],
        trouble=stage["trouble"],
        cases=[one for one in own if one.step == stage["number"]],
    )


def _stream_before(events: Sequence[Event], transition: Event) -> Data | None:
    """The stream that went through a transition: the last before it that is of the same test."""
    test = transition.data.get("test")
    of_it = (
        one.data
        for one in reversed(events)
        if one.kind == "stream" and one.data.get("test") == test
    )
    return next(of_it, None)
