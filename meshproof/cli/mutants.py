"""`meshproof mutants`: small faults in istiod, switched on one by one, and who notices them."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from meshproof.cli.options import (
    CheckoutOption,
    EngineOption,
    check_ready,
    check_writable,
    session_of,
)
from meshproof.console import say_line
from meshproof.errors import UsageError
from meshproof.mutants.catalogue import Mutant, catalogue, chosen
from meshproof.mutants.page import page as rendered
from meshproof.mutants.results import (
    Campaign,
    Outcome,
    Result,
    count,
    exit_code,
    left,
    merged,
    read,
)
from meshproof.mutants.run import RESULTS, Run
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
    typer.Option("--topology", help="those of one shape: flat, split or primaries; by default all"),
]
ListOption = Annotated[bool, typer.Option("--list", help="list them; nothing is brought up")]
ShortOption = Annotated[
    bool, typer.Option("--short", help="the few that `make test` goes through, each alone")
]
PageOption = Annotated[
    list[str] | None,
    typer.Option(
        "--page", help="print the page of the docs from these results; can be given repeatedly"
    ),
]
ResumeOption = Annotated[
    str | None,
    typer.Option(
        "--resume",
        help="go on with a run that was ended: its folder, below that of --output, or its results "
        "alone, as a file, which a new folder then has too",
    ),
]
AloneOption = Annotated[
    bool,
    typer.Option(
        "--alone",
        help="have each judged by the behaviour that must notice it, and by nothing else",
    ),
]
MinutesOption = Annotated[
    int | None,
    typer.Option(
        help="begin no mutant that would not be done in so many minutes from now, and have none "
        "judged by all behaviours; go on later",
    ),
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
    alone: AloneOption = False,
    page: PageOption = None,
    keep: KeepOption = False,
    resume: ResumeOption = None,
    minutes: MinutesOption = None,
    engine: EngineOption = None,
    output: OutputOption = "reports/mutants",
) -> None:
    """Switch small faults in istiod on, one after another, and see which behaviour notices."""
    asked = chosen(only or (), family or (), topology or (), short=short)
    if page:
        told = merged([read(named("a file of results", one)) for one in page])
        say_line(rendered(catalogue(), told).rstrip("\n"))
        return
    if list_:
        _list(asked)
        return
    until = _until(minutes)
    folder, earlier = _folder(output, resume)
    tree = str(named("an Istio source tree", checkout)) if checkout is not None else None
    with orderly_end(lambda text: say_line(text, err=True)):
        source = "checkout" if tree else None
        check_ready(session_of(engine, source, tree))
        check_writable(folder.parent, "the folder of --output,")
        session = session_of(engine, source, tree)
        session.place = folder
        run = Run.prepared(session, folder, earlier)
        run.until = until
        try:
            todo = left(asked, run.results.values())
            run.all(session, todo, thorough=not (alone or short), keep=keep)
        finally:  # also of a run that is ended, as far as it has come
            results = [run.results[one.id] for one in asked if one.id in run.results]
            _show(asked, results)
            say_line(count(results))
            say_line(f"The results are in {folder / RESULTS}.")
    raise typer.Exit(exit_code(results, asked))


def _until(minutes: int | None) -> float | None:
    """By when a run is to be over, on the monotonic clock. Raises UsageError for no time at all."""
    if minutes is None:
        return None
    if minutes < 1:
        raise UsageError(f"--minutes is {minutes}", "give a number from 1")
    return time.monotonic() + 60 * minutes


def _folder(output: str, resume: str | None) -> tuple[Path, Campaign | None]:
    """Where the results will be, and those of the run to go on with. Raises UsageError for one that
    is none."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    fresh = named("the folder of --output", output) / name
    if resume is None:
        return fresh, None
    place = named("the run of --resume", resume)
    if place.is_file():
        return fresh, read(place)
    return place, read(place / RESULTS)


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
    for name in ("mutant", "became of it", "plain", "seconds", "by whom, or why"):
        table.add_column(name, overflow="fold")
    for one in results:
        by = "; ".join(f"{notice.behaviour}: {notice.words}" for notice in one.by[:3]) or one.why
        healed = "" if one.healed or one.outcome is Outcome.BROKEN else ", did not heal"
        row = (one.id, f"{one.outcome.value}{healed}", one.plain, f"{one.seconds:.0f}", by[:300])
        table.add_row(*map(Text, row))
    Console().print(table)
    told = {one.id: one.explained for one in asked}
    for one in results:
        if one.outcome in (Outcome.ELSEWHERE, Outcome.UNNOTICED) and told.get(one.id):
            say_line(f"{one.id}: {told[one.id]}")
