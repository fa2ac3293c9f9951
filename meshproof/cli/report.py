"""`meshproof report`: views of an earlier run, from its record."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.console import Console

from meshproof.console import say_line
from meshproof.errors import UsageError
from meshproof.events import read
from meshproof.paths import named
from meshproof.report import ending, found_in, judged, left_out_in, setting, summary
from meshproof.report.timeline import timeline

RECORD = "events.jsonl"


def report(
    run: Annotated[str, typer.Argument(help="a run's folder")],
    times: Annotated[
        bool, typer.Option("--timeline", help="where the time went, by deployment and step")
    ] = False,
) -> None:
    """Print the table of a run again, from its record; ends with the run's own exit code."""
    record = named("a run's folder", run)
    if record.name != RECORD:
        record /= RECORD
    if not os.path.lexists(record):
        raise UsageError(
            f"{run} is no run's folder: it has no {RECORD}",
            "name one below reports, such as reports/20261128-164040-e6dc",
        )
    events = read(record)
    outcomes = judged(events)
    found = ending(events, outcomes)
    console = Console()
    for line in setting(events):
        say_line(line)
    if times:
        console.print(timeline(events))
    elif outcomes:
        console.print(summary(outcomes, left_out_in(events), found_in(events)))
    if found.early is not None:
        say_line(found.early)
    say_line(found.tally.line(found.exit_code))
    raise typer.Exit(found.exit_code)
