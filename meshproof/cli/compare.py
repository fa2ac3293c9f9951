"""`meshproof compare` and `meshproof trend`: several runs side by side, from their records."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from meshproof.console import say_line
from meshproof.paths import named
from meshproof.reading import file_errors
from meshproof.report.formats import chosen, written
from meshproof.report.record import Record, run_named

_MOST = 20


_FILES = {"html": "compare.html", "markdown": "compare.md"}


def compare(
    before: Annotated[str, typer.Argument(metavar="RUN_A", help="the earlier run's folder")],
    after: Annotated[str, typer.Argument(metavar="RUN_B", help="the later run's folder")],
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="NAME,...", help="also write files: html, markdown"),
    ] = None,
    out: Annotated[str, typer.Option(help="the folder in which they are written")] = ".",
) -> None:
    """Print what broke from one run to another, what was mended, became slower or lossier, is new
    or gone; ends with 1 when something broke, with 2 when that cannot be told."""
    from meshproof.report.compare import compare as compared
    from meshproof.report.compare.views import lines, markdown, page

    wanted = chosen(formats or (), _FILES)
    found = compared(Record((run_named(before),)), Record((run_named(after),)))
    if wanted:
        folder = named("the folder of reports", out)
        with file_errors(folder, "the folder of reports", doing="make"):
            folder.mkdir(parents=True, exist_ok=True)
        views = {"html": page, "markdown": markdown}
        for name in wanted:
            say_line(str(written(folder / _FILES[name], views[name](found))))
    for line in lines(found):
        say_line(line)
    raise typer.Exit(found.exit_code)


def trend(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="runs' folders")],
    as_markdown: Annotated[bool, typer.Option("--markdown", help="as Markdown")] = False,
    most: Annotated[
        int, typer.Option("--most", min=1, help="of how many behaviours the times are shown")
    ] = _MOST,
) -> None:
    """Print which behaviours are flaky over many runs, and what their times are."""
    from meshproof.report.trend import LEGEND, grids, markdown
    from meshproof.report.trend import trend as reckoned

    found = reckoned(run_named(one) for one in runs)
    if as_markdown:
        say_line(markdown(found, most).rstrip("\n"))
        return
    console = Console()
    for grid in grids(found, most):
        console.print(grid)
    if found.flaky:
        say_line(LEGEND)
    say_line(found.line)
