"""`meshproof report`: views of earlier runs, from their records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from meshproof.cli.numbers import number_of
from meshproof.console import say_line
from meshproof.errors import UsageError
from meshproof.paths import named
from meshproof.report import found_in, setting, summary
from meshproof.report.formats import FORMATS, check_written, chosen, rendered
from meshproof.report.record import Record, merged, run_named
from meshproof.report.timeline import timeline

_FORMATS = "; ".join(f"{name}: {one.about}" for name, one in FORMATS.items())


def report(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="runs' folders; of several, shards for example, one"),
    ],
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="NAME,...", help=f"write files instead. {_FORMATS}"),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(help="where they are written; by default the folder of the one run"),
    ] = None,
    shards: Annotated[
        str | None,
        typer.Option(
            metavar="N", help="how many runs there must be; one that is lacking cannot be told"
        ),
    ] = None,
    times: Annotated[
        bool, typer.Option("--timeline", help="where the time went, by deployment and step")
    ] = False,
) -> None:
    """Print the table of runs again, or write reports, from their records; ends with the run's own
    exit code, or the worst."""
    wanted = chosen(formats or ())
    if out is not None:
        check_written(wanted)
    if times and wanted:
        raise UsageError("--timeline is printed, and --format writes files", "ask for one of them")
    expected = number_of("--shards", shards) if shards is not None else 0
    record = merged((run_named(one) for one in runs), expected)
    if wanted:
        _write(record, wanted, _folder(record, out))
    else:
        _print(record, times)
    found = record.ending
    if found.early is not None:
        say_line(found.early)
    say_line(found.tally.line(found.exit_code))
    raise typer.Exit(found.exit_code)


def _folder(record: Record, out: str | None) -> Path:
    if out is not None:
        return named("the folder of reports", out)
    if len(record.runs) > 1:
        raise UsageError("the reports of several runs belong to none of them", "add --out FOLDER")
    return record.runs[0].folder


def _write(record: Record, formats: Sequence[str], folder: Path) -> None:
    for name in formats:
        for path in rendered(record, name, folder):
            say_line(str(path))


def _print(record: Record, times: bool) -> None:
    console = Console()
    for line in dict.fromkeys(line for run in record.runs for line in setting(run.events)):
        say_line(line)
    if times:
        for run in record.runs:
            console.print(timeline(run.events))
    elif record.outcomes:
        console.print(summary(record.outcomes, record.left_out, found_in(record.events)))
