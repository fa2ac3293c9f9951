"""`meshproof mutants`: small faults in istiod, switched on one by one, and who notices them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from meshproof.artifacts import check_tree
from meshproof.cli.options import (
    CheckoutOption,
    EngineOption,
    check_ready,
    check_writable,
    session_of,
)
from meshproof.console import say_line
from meshproof.mutants.catalogue import Mutant, catalogue, chosen
from meshproof.mutants.page import page as rendered
from meshproof.mutants.results import Outcome, Result, count, exit_code, read
from meshproof.mutants.run import Run
from meshproof.paths import named
from meshproof.run.session import orderly_end

OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", help="a mutant's id; can be given repeatedly")
]
FamilyOption = Annotated[
    list[str] | None, typer.Option("--family", help="all of a family; can be given repeatedly")
]
ShapeOption = Annotated[
    list[str] | None,
    typer.Option("--topology", help="those of one shape, flat or split; by default both"),
]
ListOption = Annotated[bool, typer.Option("--list", help="list them; nothing is brought up")]
ShortOption = Annotated[bool, typer.Option("--short", help="a chosen few, for `make test`")]
PageOption = Annotated[
    str | None, typer.Option("--page", help="print the page of the docs from these results")
]
KeepOption = Annotated[bool, typer.Option("--keep", help="leave the labs in place at the end")]
OutputOption = Annotated[str, typer.Option(help="the folder for results and evidence")]


def mutants(
    checkout: CheckoutOption = None,
    only: OnlyOption = None,
    family: FamilyOption = None,
    topology: ShapeOption = None,
    list_: ListOption = False,
    short: ShortOption = False,
    page: PageOption = None,
    keep: KeepOption = False,
    engine: EngineOption = None,
    output: OutputOption = "reports/mutants",
) -> None:
    """Switch small faults in istiod on, one after another, and see which behaviour notices."""
    asked = chosen(only or (), family or (), topology or (), short=short)
    if page is not None:
        say_line(rendered(catalogue(), read(named("a file of results", page))).rstrip("\n"))
        return
    if list_:
        _list(asked)
        return
    folder = named("the folder of --output", output)
    results = _run(asked, checkout, engine, folder, keep=keep, short=short)
    _show(asked, results)
    say_line(count(results))
    raise typer.Exit(exit_code(results, asked))


def _run(
    asked: tuple[Mutant, ...],
    checkout: str | None,
    engine: str | None,
    output: Path,
    *,
    keep: bool,
    short: bool,
) -> list[Result]:
    own = named("an Istio source tree", checkout) if checkout is not None else None
    if own is not None:
        check_tree(own)
    with orderly_end(lambda text: say_line(text, err=True)):
        first = session_of(engine)
        check_ready(first)
        check_writable(output, "the folder of --output,")
        folder = output / time.strftime("%Y%m%d-%H%M%S")
        run = Run.prepared(first, own, folder)
        session = session_of(engine, "checkout", str(run.tree.folder))
        session.place = folder
        return run.all(session, asked, with_plain=not short, keep=keep)


def _list(asked: tuple[Mutant, ...]) -> None:
    table = Table()
    for name in ("mutant", "family", "on", "plain", "must be noticed by"):
        table.add_column(name, overflow="fold")
    for one in asked:
        notices = f"{one.notices}{' (missing)' if one.missing else ''}"
        table.add_row(*map(Text, (one.id, one.family, one.topology, one.plain, notices)))
    Console().print(table)
    say_line(f"{len(asked)} mutants.")


def _show(asked: tuple[Mutant, ...], results: list[Result]) -> None:
    table = Table()
    for name in ("mutant", "became of it", "plain", "by whom, or why"):
        table.add_column(name, overflow="fold")
    for one in results:
        by = "; ".join(f"{notice.behaviour}: {notice.words}" for notice in one.by[:3]) or one.why
        healed = "" if one.healed or one.outcome is Outcome.BROKEN else ", did not heal"
        table.add_row(*map(Text, (one.id, f"{one.outcome.value}{healed}", one.plain, by[:300])))
    Console().print(table)
    told = {one.id: one.explained for one in asked}
    for one in results:
        if one.outcome in (Outcome.ELSEWHERE, Outcome.UNNOTICED) and told.get(one.id):
            say_line(f"{one.id}: {told[one.id]}")
