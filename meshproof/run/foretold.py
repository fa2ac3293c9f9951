"""A forecast in words, as a table, and for programs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from meshproof.model import RunRequest
from meshproof.model.request import command_line
from meshproof.report.words import Grid
from meshproof.run.forecast import Costs, Part, Turn, shards
from meshproof.telling import in_time

_OWN_WORDS = 2
"""Of a command line: the program and its command."""


@dataclass(frozen=True)
class Foretold:
    """``workers``: how many share the run out; ``turns``: who does what when; ``reports``: where
    earlier runs were looked for."""

    parts: Sequence[Part]
    turns: Sequence[Turn]
    workers: int
    costs: Costs
    reports: Path

    @property
    def seconds(self) -> float | None:
        """How long the run takes; None where no earlier run tells."""
        if not self.costs.known:
            return None
        return max((one.begins + one.takes for one in self.turns), default=0.0)

    @property
    def weights(self) -> dict[str, float]:
        """What each test weighs in the whole: what it takes, with its part of what comes before."""
        found = {}
        for one in self.turns:
            tests = one.part.tests
            tested = {test: self.costs.test(one.part, test) for test in tests}
            before = (one.takes - sum(tested.values())) / len(tests)
            found.update({test: seconds + before for test, seconds in tested.items()})
        return found

    @property
    def line(self) -> str:
        """What would be done, and how long it takes, in a sentence or two."""
        tests = sum(len(part.tests) for part in self.parts)
        whole = f"{_counted(tests, 'test')} on {_counted(len(self.parts), 'deployment')}"
        by = f"by {_counted(self.workers, 'worker')}"
        if self.seconds is None:
            where = f"there is no record of an earlier run in {self.reports}"
            return f"{whole}, {by}. How long that takes is not known: {where}."
        runs = self.costs.times.runs
        told = f"{_counted(len(runs), 'earlier run')}, the newest {runs[0]}"
        return f"{whole}, {by}, in about {in_time(self.seconds)} (reckoned from {told})."


def table(told: Foretold) -> Grid:
    """Deployments in the order in which they would be judged."""
    known = told.costs.known
    rows = []
    for one in told.turns:
        cells = [str(one.worker), str(len(one.part.tests))]
        if known:
            cells += [in_time(one.begins), in_time(one.takes)]
        rows.append((one.part.name, cells))
    times = ("begins at", "takes") if known else ()
    return Grid("In this order", ("worker", "tests", *times), rows, right=True)


def as_json(told: Foretold) -> str:
    """The same for programs; times are seconds, null where no earlier run tells."""
    known = told.costs.known
    data = {
        "tests": sum(len(part.tests) for part in told.parts),
        "workers": told.workers,
        "seconds": _rounded(told.seconds),
        "from": [str(one) for one in told.costs.times.runs],
        "deployments": [
            {
                "id": one.part.name,
                "tests": len(one.part.tests),
                "worker": one.worker,
                "begins": _rounded(one.begins if known else None),
                "seconds": _rounded(one.takes if known else None),
            }
            for one in told.turns
        ],
    }
    return json.dumps(data, indent=1)


@dataclass(frozen=True)
class Shard:
    """One machine's part of a run. ``arguments``: what `meshproof verify` is given there."""

    number: int
    of: int
    parts: Sequence[Part]
    seconds: float | None
    arguments: Sequence[str]


def shared_out(told: Foretold, request: RunRequest, number: int | None) -> list[Shard]:
    """The run's deployments among so many machines at most; by default each by itself."""
    found = shards(told.parts, number, told.costs) if number else [[one] for one in told.parts]
    return [
        Shard(
            place,
            len(found),
            own,
            told.costs.all_of(own) if told.costs.known else None,
            _arguments(request, own),
        )
        for place, own in enumerate(found, 1)
    ]


def shard_table(found: Iterable[Shard]) -> Grid:
    """Which deployment is judged on which machine."""
    rows = []
    for one in found:
        takes = "?" if one.seconds is None else in_time(one.seconds)
        for part in one.parts:
            rows.append((part.name, (f"{one.number} of {one.of}", str(len(part.tests)), takes)))
    return Grid("Shards", ("shard", "tests", "the shard takes"), rows, right=True)


def shard_json(found: Iterable[Shard]) -> str:
    """The same as a matrix of GitHub's, on one line."""
    include: list[dict[str, Any]] = [
        {
            "shard": one.number,
            "of": one.of,
            "deployments": [part.name for part in one.parts],
            "tests": sum(len(part.tests) for part in one.parts),
            "seconds": _rounded(one.seconds),
            "arguments": shlex.join(one.arguments),
        }
        for one in found
    ]
    return json.dumps({"include": include})


def _arguments(request: RunRequest, parts: Sequence[Part]) -> list[str]:
    names = tuple(part.name for part in parts)
    asked = replace(request, deployment=names, reports=RunRequest().reports)
    return command_line(asked)[_OWN_WORDS:]


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
