"""`meshproof compare` and `meshproof trend`: several runs side by side, from their records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from meshproof.cli.numbers import number_of
from meshproof.console import say_line
from meshproof.errors import EXIT_COULD_NOT_TELL, MeshproofError, UsageError
from meshproof.events import RecordError
from meshproof.paths import named
from meshproof.reading import file_errors
from meshproof.report.formats import check_written, chosen, written
from meshproof.report.record import NoRecordError, Record, Run, run_named

_MOST = "20"
JsonOption = Annotated[bool, typer.Option("--json", help="as JSON, for programs")]

_FILES = {"html": "compare.html", "markdown": "compare.md"}


def compare(
    before: Annotated[str, typer.Argument(metavar="RUN_A", help="the earlier run's folder")],
    after: Annotated[str, typer.Argument(metavar="RUN_B", help="the later run's folder")],
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="NAME,...", help="also write files: html, markdown"),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="where they are written; by default the working folder"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print what broke from one run to another, what was mended, became slower or lossier, is new
    or gone; ends with 1 when something broke, with 2 when that cannot be told."""
    from meshproof.report.compare import compare as compared
    from meshproof.report.compare.data import as_json as data
    from meshproof.report.compare.views import lines, markdown, page

    wanted = chosen(formats or (), _FILES)
    if out is not None:
        check_written(wanted)
    found = compared(Record((run_named(before),)), Record((run_named(after),)))
    if wanted:
        folder = named("the folder of reports", out if out is not None else ".")
        with file_errors(folder, "the folder of reports", doing="make"):
            folder.mkdir(parents=True, exist_ok=True)
        views = {"html": page, "markdown": markdown}
        for name in wanted:
            # With --json standard output is for programs.
            say_line(str(written(folder / _FILES[name], views[name](found))), err=as_json)
    for line in [data(found)] if as_json else lines(found):
        say_line(line)
    raise typer.Exit(found.exit_code)


def trend(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="runs' folders")],
    as_markdown: Annotated[bool, typer.Option("--markdown", help="as Markdown")] = False,
    most: Annotated[
        str,
        typer.Option("--most", metavar="N", help="of how many behaviours the times are shown"),
    ] = _MOST,
    as_json: JsonOption = False,
) -> None:
    """Print which behaviours are flaky over many runs, and what their times are. Of several folders
    those without a record are left out, and ends with 2 when a record cannot be read."""
    from meshproof.report.trend import LEGEND, grids, markdown
    from meshproof.report.trend import as_json as data
    from meshproof.report.trend import trend as reckoned

    if as_json and as_markdown:
        raise UsageError("--json and --markdown ask for two forms", "give one of them")
    longest = number_of("--most", most)
    read, whole = _readable(runs)
    found = reckoned(read)
    if as_json:
        say_line(data(found))
    elif as_markdown:
        say_line(markdown(found, longest).rstrip("\n"))
    else:
        console = Console()
        for grid in grids(found, longest):
            console.print(grid)
        if found.flaky:
            console.print(LEGEND, highlight=False)
        say_line(found.line)
    if not whole:
        raise typer.Exit(EXIT_COULD_NOT_TELL)


def _readable(words: Sequence[str]) -> tuple[list[Run], bool]:
    """The runs that words name, as reports/* does, and whether all of their records could be read.
    What is left out is told. Raises what keeps all of them from being read."""
    found, trouble, whole = [], list[MeshproofError](), True
    for word in words:
        try:
            found.append(run_named(word))
        except NoRecordError as error:
            if not named("a run's folder", word).is_dir():
                raise
            trouble.append(error)
        except RecordError as error:
            trouble.append(error)
            whole = False
    if not found:
        raise trouble[0]
    for one in trouble:
        say_line(f"Left out: {one}", err=True)
    return found, whole
