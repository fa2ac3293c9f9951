"""`meshproof topologies`: what can be judged, as a list, drawn, or for programs."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from meshproof.cli.complete import complete_topologies
from meshproof.console import say_line
from meshproof.errors import UsageError
from meshproof.files import BARES
from meshproof.paths import named
from meshproof.report.topologies import as_json, drawing, listing
from meshproof.run.selection import chosen_topologies, usual_topologies


def topologies(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="topologies' names; by default all",
            autocompletion=complete_topologies,
        ),
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option("--topology-file", metavar="FILE", help="one of your own (repeatable)"),
    ] = None,
    draw: Annotated[
        bool, typer.Option("--draw", help="clusters in their networks, and what may pass")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """List the topologies that there are, or draw them."""
    if json and draw:
        raise UsageError("--json and --draw ask for two forms", "give one of them")
    paths = [named("a topology file", one) for one in files or ()]
    chosen = chosen_topologies(names or (), paths)
    usual = usual_topologies()
    if json:
        say_line(as_json(chosen, usual))
        return
    console = Console()
    if draw:
        for number, one in enumerate(chosen):
            console.print(*([""] if number else []), drawing(one), sep="\n")
        return
    console.print(listing(chosen, usual))
    say_line(f"And without a mesh, on demand: {', '.join(BARES)}.")
