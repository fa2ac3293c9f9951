"""The tests of a record, each once, with what was recorded while it ran: steps, calls, verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from meshproof.events import Data, Event, worker_name
from meshproof.report.outcomes import WORST_FIRST, Judged, judged
from meshproof.report.record import Record, Run

BELONGS = frozenset({"step-begin", "step-end", "calls", "verdict", "test"})
"""The kinds of events that a test is made of."""


@dataclass(slots=True, eq=False)
class Step:
    """Something that was done. ``began``, ``ended``: seconds since the epoch; ``outcome``: "ok",
    what went wrong, or "" for one that never ended; ``about``: figures, by name."""

    name: str
    began: float
    ended: float
    outcome: str = "ok"
    about: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict, as it was pronounced. ``at``: seconds since the epoch."""

    at: float
    outcome: str
    expected: str
    observed: str
    evidence: dict[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """A test. ``judged``: how it ended, where of several outcomes the worst counts; ``folder``:
    that of its run, in which its evidence lies; ``on``: the deployment's fields; ``began``,
    ``ended``: seconds since the epoch; ``step``: the number of the stage of an upgrade that it is
    about; ``machine``: the one outside Kubernetes that it is about; ``worker``: as people are told
    of it, or ""; ``calls``: the figures of each batch of calls."""

    judged: Judged
    folder: Path
    suite: str
    level: str
    feature: str
    on: Data
    caller: str | None
    pair: tuple[str, ...]
    step: int | None
    machine: str | None
    proves: tuple[str, ...]
    worker: str
    began: float
    ended: float
    verdicts: tuple[Said, ...]
    steps: tuple[Step, ...]
    calls: tuple[Data, ...]

    @property
    def is_sabotage(self) -> bool:
        """Whether it sees a claim fail on a mesh that was broken for it."""
        return bool(self.proves)

    @property
    def called_from(self) -> str:
        """Which clusters, which machine, or which stage of an upgrade, it is about, in words; ""
        where it is about all."""
        if self.step is not None:
            return f"step {self.step}"
        if self.pair:
            return " → ".join(self.pair)
        if self.machine:
            return f"on {self.machine}"
        return f"from {self.caller}" if self.caller else ""


def cases(record: Record) -> list[Case]:
    """The tests of a record that have an outcome, in the order in which they were planned. One
    that several runs judged is told as the run does in which it ended worst."""
    found: dict[str, Case] = {}
    for run in record.runs:
        for case in _cases_of(run):
            other = found.setdefault(case.judged.test, case)
            if _badness(case.judged.outcome) < _badness(other.judged.outcome):
                found[case.judged.test] = case
    place = {test: number for number, test in enumerate(record.planned)}
    return sorted(found.values(), key=lambda one: place.get(one.judged.test, len(place)))


def not_run(record: Record) -> list[str]:
    """The ids of the tests that were planned and have no outcome at all."""
    ended = {one.test for one in record.outcomes}
    return [test for test in record.planned if test not in ended]


def case_of(events: Sequence[Event], folder: Path) -> Case | None:
    """The test that these events, oldest first, are all of; None where it has not ended."""
    ends = [event for event in events if event.kind == "test"]
    if not ends:
        return None
    outcomes = judged(ends)
    worst = min(outcomes, key=lambda one: _badness(one.outcome))
    last = ends[-1]
    about, begin = last.data, ends[0].at - ends[0].data["seconds"]
    return Case(
        judged=replace(worst, seconds=sum(one.seconds for one in outcomes)),
        folder=folder,
        suite=about["suite"],
        level=about["level"],
        feature=about["feature"],
        on=about["deployment"],
        caller=about["caller"],
        pair=tuple(about["pair"] or ()),
        step=about.get("step"),
        machine=about.get("machine"),
        proves=tuple(about["proves"]),
        worker=worker_name(str(about.get("worker", ""))),
        began=min(begin, events[0].at),
        ended=last.at,
        verdicts=tuple(_said(event) for event in events if event.kind == "verdict"),
        steps=tuple(_steps(events, last.at)),
        calls=tuple(event.data for event in events if event.kind == "calls"),
    )


def _cases_of(run: Run) -> list[Case]:
    events: dict[str, list[Event]] = {}
    for event in run.events:
        if event.kind in BELONGS and "test" in event.data:
            events.setdefault(str(event.data["test"]), []).append(event)
    found = (case_of(own, run.folder) for own in events.values())
    return [case for case in found if case is not None]


def _badness(outcome: str) -> int:
    return WORST_FIRST.index(outcome)


def _said(event: Event) -> Said:
    data = event.data
    return Said(event.at, data["outcome"], data["expected"], data["observed"], data["evidence"])


def _steps(events: Iterable[Event], end: float) -> list[Step]:
    """What was done, as a tree: a step is part of the one that was begun last and goes on."""
    top: list[Step] = []
    going_on: list[Step] = []
    for event in events:
        siblings = going_on[-1].steps if going_on else top
        if event.kind == "step-begin":
            step = Step(event.data["step"], event.at, end, outcome="")
            siblings.append(step)
            going_on.append(step)
        elif event.kind == "step-end":
            # Of steps side by side the one that ends need not be the last that was begun.
            ended = [one for one in going_on if one.name == event.data["step"]]
            for step in ended[-1:]:
                step.ended, step.outcome = event.at, event.data["outcome"]
                going_on.remove(step)
        elif event.kind == "calls":
            siblings.append(_called(event))
    return top


def _called(event: Event) -> Step:
    data = event.data
    name = f"{data['calls']} calls from {data['caller']} in {data['cluster']} to {data['url']}"
    about = {
        what: ", ".join(f"{count} x {one}" for one, count in data[what].items())
        for what in ("answers", "versions", "upstreams")
        if data[what]
    }
    return Step(name, event.at - data["seconds"], event.at, about=about)
