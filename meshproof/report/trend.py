"""Many runs: which behaviours are flaky, and what their times are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from meshproof.report.compare.cells import Cell, cells
from meshproof.report.marked import cell, code, table
from meshproof.report.record import Record, Run
from meshproof.report.texts import moment
from meshproof.report.words import Grid

_LETTERS = {"": "·", "PASS": "✓", "FAIL": "F", "INCONCLUSIVE": "?", "KNOWN": "K", "skipped": "s"}
_OTHER = "?"
LEGEND = (
    "✓ held, F failed, K failed as a known issue says, ? could not be told, s skipped, · not there"
)


@dataclass(frozen=True)
class Row:
    """A behaviour on a deployment, versions and all. ``cells``: that of each run, in the order in
    which they were begun; None where it is in none."""

    behaviour: str
    deployment: str
    cells: Sequence[Cell | None]

    @property
    def there(self) -> list[Cell]:
        """The cells that there are."""
        return [one for one in self.cells if one is not None]

    @property
    def is_flaky(self) -> bool:
        """Whether it held in one run and not in another, of the same versions."""
        outcomes = {one.outcome for one in self.there}
        return "PASS" in outcomes and len(outcomes) > 1

    @property
    def letters(self) -> str:
        """A letter for each run, the oldest first."""
        outcomes = ("" if one is None else one.outcome for one in self.cells)
        return "".join(_LETTERS.get(outcome, _OTHER) for outcome in outcomes)

    @property
    def seconds(self) -> list[float]:
        """What its tests took, of the runs in which they held: what fails early says nothing."""
        return [one.seconds for one in self.there if one.outcome == "PASS"]


@dataclass(frozen=True)
class Trend:
    """``runs``: in the order in which they were begun."""

    runs: Sequence[Run]
    rows: Sequence[Row]

    @property
    def flaky(self) -> list[Row]:
        """What held in one run and not in another, what changed most often first."""
        return sorted((one for one in self.rows if one.is_flaky), key=_changes, reverse=True)

    @property
    def slowest(self) -> list[Row]:
        """What held at least once, by its median time, the longest first."""
        timed = [one for one in self.rows if one.seconds]
        return sorted(timed, key=lambda one: median(one.seconds), reverse=True)

    @property
    def line(self) -> str:
        """What it comes to, in one line."""
        runs, rows, flaky = len(self.runs), len(self.rows), len(self.flaky)
        many = f"{runs} run{'s' if runs != 1 else ''}"
        return f"{many}, {rows} behaviour{'s' if rows != 1 else ''} on deployments, {flaky} flaky"


def trend(runs: Iterable[Run]) -> Trend:
    """What many runs have in common. Each folder counts once."""
    distinct = {run.folder: run for run in runs}.values()
    given = sorted(distinct, key=lambda run: run.events[0].at if run.events else 0.0)
    found: dict[tuple[str, str], list[Cell | None]] = {}
    for number, run in enumerate(given):
        for one in cells(Record((run,))):
            row = found.setdefault((one.behaviour, one.deployment), [None] * len(given))
            row[number] = one
    return Trend(given, [Row(*key, row) for key, row in found.items()])


def grids(found: Trend, most: int) -> list[Grid]:
    """Tables for a terminal; of times the ``most`` longest."""
    # Most folders are named by when they were begun: all else fits side by side then.
    runs = [(one.folder.name, _run(one)[1:]) for one in found.runs]
    shown = [Grid("Runs, the oldest first", _RUN_COLUMNS[1:], runs, right=True)]
    if found.flaky:
        flaky = [(_name(one), (one.letters,)) for one in found.flaky]
        shown.append(Grid("Flaky, the oldest run first", ("runs",), flaky))
    if found.slowest:
        times = [(_name(one), _times(one)) for one in found.slowest[:most]]
        shown.append(Grid("Times in seconds, the longest first", _TIME_COLUMNS, times, right=True))
    return shown


def markdown(found: Trend, most: int) -> str:
    """The same in Markdown."""
    parts = [f"## {found.line}"]
    rows = [[cell(one.folder.name), *map(cell, _run(one))] for one in found.runs]
    parts.append(table(("run", *_RUN_COLUMNS), rows))
    if found.flaky:
        rows = [[code(one.behaviour), cell(one.deployment), one.letters] for one in found.flaky]
        parts += [f"### Flaky\n\n{LEGEND}", table(("behaviour", "on", "runs"), rows)]
    if found.slowest:
        rows = [
            [code(one.behaviour), cell(one.deployment), *_times(one)]
            for one in found.slowest[:most]
        ]
        parts += ["### Times in seconds", table(("behaviour", "on", *_TIME_COLUMNS), rows)]
    return "\n\n".join(parts) + "\n"


def as_json(found: Trend) -> str:
    """All of it as JSON, for programs: every behaviour on every deployment, whatever its times;
    docs/views.md describes it. What older readers would misread takes another ``apiVersion``."""
    data = {
        "apiVersion": "meshproof/v1",
        "kind": "Trend",
        "summary": found.line,
        "runs": [_run_data(one) for one in found.runs],
        "behaviours": [_row_data(one) for one in found.rows],
    }
    return json.dumps(data, indent=1)


_RUN_COLUMNS = ("begun", "seconds", "held", "failed", "known", "could not tell", "not run")
_TIME_COLUMNS = ("runs", "median", "shortest", "longest", "last")


def _run(run: Run) -> tuple[str, ...]:
    record = Record((run,))
    tally, events = record.ending.tally, run.events
    took = events[-1].at - events[0].at if events else 0.0
    counts = (tally.held, tally.failed, tally.known, tally.unclear, tally.not_run)
    return (moment(events[0].at) if events else "", f"{took:.0f}", *map(str, counts))


def _times(row: Row) -> tuple[str, ...]:
    taken = row.seconds
    figures = (median(taken), min(taken), max(taken), taken[-1])
    return (str(len(taken)), *(f"{one:.1f}" for one in figures))


def _name(row: Row) -> str:
    return f"{row.behaviour} {row.deployment}"


def _changes(row: Row) -> int:
    outcomes = [one.outcome for one in row.there]
    return sum(one != other for one, other in pairwise(outcomes))


def _run_data(run: Run) -> dict[str, Any]:
    record, events = Record((run,)), run.events
    tally = record.ending.tally
    return {
        "run": run.folder.name,
        "began": moment(events[0].at) if events else None,
        "seconds": round(events[-1].at - events[0].at, 3) if events else 0.0,
        "exitCode": record.ending.exit_code,
        "counts": {
            "held": tally.held,
            "failed": tally.failed,
            "couldNotTell": tally.unclear,
            "knownIssues": tally.known,
            "notRun": tally.not_run,
        },
    }


def _row_data(row: Row) -> dict[str, Any]:
    return {
        "behaviour": row.behaviour,
        "deployment": row.deployment,
        "flaky": row.is_flaky,
        "runs": [
            None if one is None else {"outcome": one.outcome, "seconds": round(one.seconds, 3)}
            for one in row.cells
        ],
    }
