"""The command `meshproof artifacts`: list, build, prune."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from meshproof.artifacts import Row, Store, catalog, listing, prune
from meshproof.console import Narrator, wide_console
from meshproof.engine import choose_engine
from meshproof.process import Shell
from meshproof.session import Choices, Session, orderly_end

artifacts_app = typer.Typer(no_args_is_help=True, help="Binaries and images, and their store.")

_DAY = 86_400.0


@artifacts_app.command("list")
def list_command() -> None:
    """What the store holds, and which versions can be had."""
    store = Store()
    rows = listing(store, choose_engine(Shell()))
    table = Table("what", "version", "source", "MiB", "last used")
    for row in rows:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.last_used))
        table.add_row(row.name, row.version, row.source, f"{row.size / 2**20:.0f}", used)
    console = wide_console()
    console.print(table if rows else "The store is empty.")
    total = sum(row.size for row in rows) / 2**30
    console.print(f"{total:.1f} GiB in {store.root} and the engine.", highlight=False)
    known = catalog()
    console.print(f"Kubernetes: {', '.join(map(str, known.kubernetes))}", highlight=False)
    console.print(f"Istio: {', '.join(map(str, known.istio))}", highlight=False)


@artifacts_app.command("build")
def build_command(
    engine: Annotated[str | None, typer.Option(help="podman or docker")] = None,
    source: Annotated[
        str | None, typer.Option("--artifacts", help="published, built or checkout")
    ] = None,
    checkout: Annotated[Path | None, typer.Option(help="an Istio source tree")] = None,
    kubernetes: Annotated[str | None, typer.Option(help="version")] = None,
    istio: Annotated[list[str] | None, typer.Option(help="version; repeatable")] = None,
) -> None:
    """Make or fetch what a lab of these versions needs, unless it is there."""
    choices = Choices(engine, source, checkout, kubernetes, tuple(istio or ()))
    session = Session(choices, [Narrator(Console(stderr=True))])
    with orderly_end(lambda text: typer.echo(text, err=True)):
        bundle = session.bundle
    typer.echo(f"{bundle.source}: {bundle.node_image}")


@artifacts_app.command("prune")
def prune_command(
    unused_days: Annotated[float, typer.Option(help="remove what was not used for so long")] = 30,
    everything: Annotated[bool, typer.Option("--all", help="remove all of it")] = False,
) -> None:
    """Remove what has not been used for a while; what was being made by killed runs anyway."""
    oldest = time.time() - unused_days * _DAY

    def keep(row: Row) -> bool:
        return not everything and row.last_used >= oldest

    freed = prune(Store(), choose_engine(Shell()), keep)
    typer.echo(f"Freed {freed / 2**20:.0f} MiB.")
