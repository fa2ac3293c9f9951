"""What a record says of each test: verdicts, calls, what the wire counted; and of places."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from meshproof.errors import MeshproofError
from meshproof.events import Data, Event
from meshproof.files.request_file import request_from
from meshproof.model import RunRequest
from meshproof.model.request import command_line, once_more
from meshproof.report.outcomes import WORST_FIRST, Issue, Judged, outcome_of
from meshproof.report.record import Record, Run

_SETTLING = "wait until the proxies"
"""How the step begins whose calls only wait for a mesh, and prove nothing."""


@dataclass
class Told:
    """What was recorded while a test ran."""

    verdicts: list[Data] = field(default_factory=list)
    calls: list[Data] = field(default_factory=list)
    wire: list[Data] = field(default_factory=list)
    streams: list[Data] = field(default_factory=list)


@dataclass(frozen=True)
class Test:
    """One outcome of one test. ``event``: as the record has it; ``gateways``: the cluster that each
    gateway of its mesh is in, by "address:port"; ``again``: the command that repeats it, or ""."""

    run: Run
    event: Event
    judged: Judged
    told: Told
    gateways: Mapping[str, str]
    again: str

    @property
    def data(self) -> Data:
        """The event's data."""
        return self.event.data

    @property
    def is_sabotage(self) -> bool:
        """Whether it breaks something, and sees a claim fail."""
        return bool(self.data["proves"])

    @property
    def whose(self) -> str:
        """For which caller, pair or machine it was made, "" for none."""
        pair = self.data["pair"]
        one = self.data["caller"] or self.data.get("machine")
        return " → ".join(pair) if pair else one or ""

    @property
    def shown_issues(self) -> list[Issue]:
        """The known issues as which it failed."""
        return [one for one in self.judged.known_issues if one.shows]


@dataclass(frozen=True)
class Material:
    """All that the page tells, found in a record once."""

    record: Record

    @cached_property
    def begins(self) -> list[Data]:
        """How each run began, as far as its record says so."""
        return _of_kind(self.record.events, "run-begin")

    @cached_property
    def tests(self) -> list[Test]:
        """The outcomes, run by run, each run's in the order in which its tests were planned."""
        return [test for run in self.record.runs for test in _tests(run)]

    @cached_property
    def deployments(self) -> dict[str, Data]:
        """What tests ran on, or do not apply to, by its id."""
        found = [one for begin in self.begins for one in begin["deployments"]]
        found += [test.data["deployment"] for test in self.tests]
        return {one["id"]: one for one in found}

    @cached_property
    def topologies(self) -> dict[str, Data]:
        """What each of these looks like, by its id, as far as the record says so."""
        return {name: one for begin in self.begins for name, one in _drawn(begin).items()}

    @cached_property
    def proofs(self) -> dict[str, Data]:
        """What proves that each behaviour's tests can fail, by the behaviour's id."""
        return {name: one for begin in self.begins for name, one in begin.get("proofs", {}).items()}

    @cached_property
    def made_of(self) -> list[Data]:
        """What the labs were made of, each set of artifacts once."""
        return list({one["digest"]: one for one in self._artifacts}.values())

    @property
    def _artifacts(self) -> list[Data]:
        return _of_kind(self.record.events, "artifacts")


def worst(outcomes: Iterable[str]) -> str:
    """The worst of some outcomes."""
    return min(outcomes, key=WORST_FIRST.index)


def _of_kind(events: Iterable[Event], kind: str) -> list[Data]:
    return [one.data for one in events if one.kind == kind]


def _drawn(begin: Data) -> Mapping[str, Data]:
    found: Mapping[str, Data] = begin.get("topologies", {})
    return found


def _tests(run: Run) -> list[Test]:
    told, ended, gateways = _told(run.events)
    request = _request(run.events)
    place = {name: number for number, name in enumerate(Record((run,)).planned)}
    tests = [
        Test(
            run,
            event,
            outcome_of(event),
            told.get(event.data["test"], Told()),
            gateways.get(event.data["deployment"]["id"], {}),
            _again(request, event.data["test"]),
        )
        for event in ended
    ]
    return sorted(tests, key=lambda one: place.get(one.judged.test, 0))


def _told(
    events: Sequence[Event],
) -> tuple[dict[str, Told], list[Event], dict[str, Mapping[str, str]]]:
    """What was recorded while each test ran, the tests' ends, and the gateways by deployment."""
    told: dict[str, Told] = {}
    ended: list[Event] = []
    gateways: dict[str, Mapping[str, str]] = {}
    settling: dict[str, int] = {}
    for event in events:
        data, worker = event.data, str(event.data.get("worker", ""))
        if event.kind in ("step-begin", "step-end") and data["step"].startswith(_SETTLING):
            settling[worker] = settling.get(worker, 0) + (1 if event.kind == "step-begin" else -1)
        elif event.kind == "test":
            ended.append(event)
        elif event.kind == "settled":
            gateways[data["deployment"]] = data.get("gateways", {})
        elif event.kind in ("verdict", "calls", "wire", "stream") and "test" in data:
            here = told.setdefault(str(data["test"]), Told())
            if event.kind == "verdict":
                here.verdicts.append(data)
            elif event.kind == "wire":
                here.wire.append(data)
            elif event.kind == "stream":
                here.streams.append(data)
            elif settling.get(worker, 0) <= 0:
                here.calls.append(data)
    return told, ended, gateways


def _request(events: Iterable[Event]) -> RunRequest | None:
    """What the run was asked for; None where the record does not say it so that it can be read."""
    for data in _of_kind(events, "run-begin"):
        try:
            return request_from(data["request"])
        except (MeshproofError, TypeError, ValueError):
            return None
    return None


def _again(request: RunRequest | None, test: str) -> str:
    if request is None:
        return ""
    return shlex.join(command_line(once_more(request, test, None)))
