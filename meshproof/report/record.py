"""The record of one run, or of several that are read as one: shards of a run, runs of a week."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_DID_NOT_HOLD, EXIT_HELD, UsageError
from meshproof.events import Event, read
from meshproof.paths import named
from meshproof.report.declared import LeftOut, left_out_in
from meshproof.report.outcomes import Judged, judged, planned_in
from meshproof.report.tally import Ending, Tally, ending

RECORD = "events.jsonl"
"""What a run's record is called in its folder."""
_WORST_FIRST = (EXIT_DID_NOT_HOLD, EXIT_COULD_NOT_TELL, EXIT_HELD)


class NoRecordError(UsageError):
    """A word names no run: there is no record."""


@dataclass(frozen=True)
class Run:
    """One run. ``folder``: where its evidence lies; ``events``: its record, oldest first."""

    folder: Path
    events: Sequence[Event]


@dataclass(frozen=True)
class Record:
    """What views are rendered from: at least one run, in the order given.

    Of a test that several runs judged all outcomes are there, and in counts the worst counts, as
    within a run: a failure that a second run did not see again has been a failure.

    ``shards``: how many runs there should be, 0 where nobody said. Of one that is not there it is
    not known what it was to judge, so that each counts as a test that was planned and not run.
    """

    runs: tuple[Run, ...]
    shards: int = 0

    @cached_property
    def events(self) -> list[Event]:
        """The events of all runs, run by run."""
        return [event for run in self.runs for event in run.events]

    @cached_property
    def planned(self) -> list[str]:
        """The ids of the tests that were to be judged, each once, in order, and a name for each
        shard without a record."""
        return list(dict.fromkeys([*planned_in(self.events), *self._lacking]))

    @property
    def _lacking(self) -> list[str]:
        return [f"shard::left-no-record[{one}]" for one in range(len(self.runs), self.shards)]

    @cached_property
    def outcomes(self) -> list[Judged]:
        """How the tests ended, run by run, each run's in the order in which they were planned."""
        return [one for run in self.runs for one in judged(run.events)]

    @cached_property
    def left_out(self) -> list[LeftOut]:
        """What does not apply, each said once."""
        return list(dict.fromkeys(left_out_in(self.events)))

    @cached_property
    def ending(self) -> Ending:
        """How the runs ended: the tally of all, the worst of their exit codes, and of the first
        whose record is not whole why."""
        ends = [(run, ending(run.events, judged(run.events))) for run in self.runs]
        lacking = len(self._lacking)
        if len(ends) == 1 and not lacking:
            return ends[0][1]
        codes = [one.exit_code for _, one in ends] + [EXIT_COULD_NOT_TELL] * lacking
        early = [f"{run.folder.name}: {one.early}" for run, one in ends if one.early is not None]
        if lacking:
            early.insert(0, f"Of {self.shards} shards {lacking} left no record.")
        tally = Tally.of(self.outcomes, self.planned)
        return Ending(tally, min(codes, key=_badness), early[0] if early else None)


def merged(runs: Iterable[Run], shards: int = 0) -> Record:
    """The record of these runs, each folder once; ``shards``: as a Record has it."""
    return Record(tuple({run.folder: run for run in runs}.values()), shards)


def run_named(word: str) -> Run:
    """The run that a word names: its folder, or the record in it.

    Raises NoRecordError where there is none, RecordError for one that cannot be read.
    """
    record = named("a run's folder", word)
    if record.name != RECORD:
        record /= RECORD
    if not os.path.lexists(record):
        raise NoRecordError(
            f"{word} is no run's folder: it has no {RECORD}",
            "name one below reports, such as reports/20261128-164040-e6dc",
        )
    return Run(record.parent, read(record))


def _badness(exit_code: int) -> int:
    return _WORST_FIRST.index(exit_code) if exit_code in _WORST_FIRST else 1
