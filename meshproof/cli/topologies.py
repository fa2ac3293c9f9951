"""`meshproof topologies`: what can be judged, as a list, drawn, or for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from meshproof.cli.complete import complete_topologies
from meshproof.console import say_line
from meshproof.errors import UsageError
from meshproof.files import BARES
from meshproof.mesh.upkeep import growing
from meshproof.model import Topology
from meshproof.paths import named
from meshproof.report.topologies import as_json, drawing, federation, listing
from meshproof.run.selection import chosen_topologies, usual_topologies
from meshproof.workloads.sample import SERVED

_MOST_MESHES = 6


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
    upkeep: Annotated[
        bool,
        typer.Option("--upkeep", help="objects that federations take, and those that change"),
    ] = False,
) -> None:
    """List the topologies that there are, or draw them."""
    asked = {"--json": json, "--draw": draw, "--upkeep": upkeep}
    forms = [name for name, given in asked.items() if given]
    if len(forms) > 1:
        cause = f"{' and '.join(forms)} ask for {'two' if len(forms) == 2 else 'three'} forms"
        raise UsageError(cause, "give one of them")
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
    if upkeep:
        for one in _exposing(chosen, bool(names or files)):
            console.print(federation(one.name, growing(one, [SERVED], _MOST_MESHES)))
        return
    console.print(listing(chosen, usual))
    say_line(f"And without a mesh, on demand: {', '.join(BARES)}.")


def _exposing(chosen: Sequence[Topology], by_name: bool) -> list[Topology]:
    """The topologies whose meshes expose services to each other. ``by_name``: whether somebody
    asked for these; then one without raises UsageError."""
    alone = [one.name for one in chosen if not one.exposes]
    if by_name and alone:
        cause = f"{alone[0]} exposes nothing to other meshes"
        raise UsageError(cause, "name one that does, such as federation")
    return [one for one in chosen if one.exposes]
