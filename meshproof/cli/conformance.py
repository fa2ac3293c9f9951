"""`meshproof conformance`: checks conformance reports, and prints their schema."""

from __future__ import annotations

from typing import Annotated

import typer

from meshproof.cli.commands import HELP, Parts
from meshproof.console import say_line
from meshproof.errors import EXIT_DID_NOT_HOLD
from meshproof.paths import named

conformance_app = typer.Typer(
    cls=Parts,
    no_args_is_help=True,
    help="Conformance reports: check them, and their schema.",
    context_settings=HELP,
    add_completion=False,
)


@conformance_app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="conformance.yaml")],
) -> None:
    """Say what is wrong with conformance reports, a sentence each; ends with 1 if anything is."""
    # jsonschema takes a third of a second to load, and nothing else needs it.
    from meshproof.report.conformance.check import faults, read

    found: list[str] = []
    for file in files:
        report = read(named("a conformance report", file))
        wrong = faults(report)
        found += wrong
        if not wrong:
            say_line(f"{file}: sound; {report.content['result']}: {report.content['summary']}")
    for sentence in found:
        say_line(sentence)
    if found:
        raise typer.Exit(EXIT_DID_NOT_HOLD)


@conformance_app.command()
def schema() -> None:
    """Print the JSON Schema of conformance reports."""
    from meshproof.report.conformance.check import schema as text

    say_line(text().rstrip("\n"))
