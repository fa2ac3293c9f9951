"""The command `meshproof artifacts`: list, build, pull, push, save, load, prune."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from math import isfinite
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from meshproof.artifacts import TAG, Row, Store, catalog, listing, prunable, remove_rows
from meshproof.artifacts.carry import Carried, load, save
from meshproof.artifacts.workloads import push_workload
from meshproof.cli.commands import HELP, Parts
from meshproof.cli.options import (
    ArchiveOption,
    CheckoutOption,
    DryRunOption,
    EngineOption,
    HubOption,
    IstioctlOption,
    IstioOption,
    KubernetesOption,
    SourceOption,
    TagOption,
    UnsupportedOption,
    session_of,
)
from meshproof.console import say_line
from meshproof.engine import choose_engine
from meshproof.errors import UsageError
from meshproof.events import Recorder
from meshproof.lab.sweep import State, find_all
from meshproof.narrator import Narrator
from meshproof.paths import named
from meshproof.process import Shell
from meshproof.run.own_build import check_hub
from meshproof.run.session import orderly_end
from meshproof.telling import shown

artifacts_app = typer.Typer(
    cls=Parts,
    no_args_is_help=True,
    help="Binaries and images, and their store.",
    context_settings=HELP,
    add_completion=False,
)

_DAY = 86_400.0


@artifacts_app.command("list")
def list_command() -> None:
    """What the store holds, and which versions can be had."""
    store = Store()
    rows = listing(store, choose_engine(Shell()))
    table = Table()
    for name in ("what", "version", "source", "MiB", "last used"):
        table.add_column(name, justify="right" if name == "MiB" else "left", overflow="fold")
    for row in rows:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.last_used))
        cells = (row.name, row.version, row.source, f"{row.size / 2**20:.0f}", used)
        table.add_row(*(Text(shown(cell)) for cell in cells))
    Console().print(table if rows else "The store is empty.")
    total = sum(row.size for row in rows) / 2**30
    known = catalog()
    say_line(f"{total:.1f} GiB in {store.root} and the engine.")
    say_line(f"Kubernetes: {', '.join(map(str, known.kubernetes))}")
    say_line(f"Istio: {', '.join(map(str, known.istio))}")


@artifacts_app.command("build")
def build_command(
    engine: EngineOption = None,
    source: SourceOption = None,
    checkout: CheckoutOption = None,
    kubernetes: KubernetesOption = None,
    istio: IstioOption = None,
    hub: HubOption = None,
    tag: TagOption = None,
    istioctl: IstioctlOption = None,
    image_archive: ArchiveOption = None,
    unsupported: UnsupportedOption = False,
    helm: Annotated[
        bool, typer.Option("--helm", help="also Helm, and the charts that it installs")
    ] = False,
) -> None:
    """Make or fetch what a lab of these versions needs, unless it is there."""
    session = session_of(
        engine,
        source,
        checkout,
        kubernetes,
        istio,
        None,
        hub,
        tag,
        istioctl,
        unsupported=unsupported,
        archives=image_archive,
        helm=helm,
    )
    with orderly_end(lambda text: say_line(text, err=True)):
        bundle = session.bundle
    say_line(f"{bundle.source}: {bundle.node_image}")


@artifacts_app.command("pull")
def pull_command(
    engine: EngineOption = None,
    kubernetes: KubernetesOption = None,
    istio: IstioOption = None,
    hub: HubOption = None,
    tag: TagOption = None,
    istioctl: IstioctlOption = None,
    image_archive: ArchiveOption = None,
    unsupported: UnsupportedOption = False,
) -> None:
    """Fetch what a lab of these versions needs from registries and releases, unless it is there.

    What `save` writes then is enough for a machine without a way out.
    """
    session = session_of(
        engine,
        "published",
        None,
        kubernetes,
        istio,
        None,
        hub,
        tag,
        istioctl,
        unsupported=unsupported,
        archives=image_archive,
    )
    with orderly_end(lambda text: say_line(text, err=True)):
        bundle = session.bundle
    for name, digest in bundle.parts.items():
        say_line(f"{bundle.images.get(name, name)}: {digest}")
    say_line(f"{bundle.source}: {bundle.node_image}")


@artifacts_app.command("push")
def push_command(
    registry: Annotated[
        str, typer.Argument(metavar="REGISTRY", help="with its path, as in registry.example/me")
    ],
    engine: EngineOption = None,
) -> None:
    """Push the image of what runs in clusters to a registry of yours; print its name by digest."""
    check_hub(registry)
    store = Store()
    store.check_ours()
    with orderly_end(lambda text: say_line(text, err=True)):
        recorder = Recorder(listeners=[Narrator(Console(stderr=True))])
        pushed = push_workload(registry, store, choose_engine(Shell(recorder), engine), recorder)
    say_line(pushed)


@artifacts_app.command("save")
def save_command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="a new file")],
    engine: EngineOption = None,
) -> None:
    """Write the store, with its images, into one file, for a machine without a way out."""
    store, place = Store(), named("a file of artifacts", file)
    store.check_ours()
    with orderly_end(lambda text: say_line(text, err=True)):
        found = save(store, choose_engine(Shell(), engine), place)
    _say_carried("saved", found)
    say_line(f"{place.stat().st_size / 2**20:.0f} MiB in {place}.")


@artifacts_app.command("load")
def load_command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="a file that 'save' wrote")],
    engine: EngineOption = None,
) -> None:
    """Take a file that `save` wrote into the store and the engine; what is there already stays."""
    store, place = Store(), named("a file of artifacts", file)
    store.check_ours()
    with orderly_end(lambda text: say_line(text, err=True)):
        recorder = Recorder(listeners=[Narrator(Console(stderr=True))])
        found = load(store, choose_engine(Shell(), engine), place, recorder)
    _say_carried("loaded", found)


def _say_carried(done: str, found: Carried) -> None:
    for name in found.entries:
        say_line(f"{done}: {name}")
    for name in found.left:
        say_line(f"left out: {name}")


@artifacts_app.command("prune")
def prune_command(
    unused_days: Annotated[
        str | None, typer.Option(help="remove what was not used for so long; by default 30")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="remove all of it")] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Remove what has not been used for a while; what was being made by killed runs anyway."""
    if everything and unused_days is not None:
        raise UsageError("--all and --unused-days contradict each other", "leave one of them out")
    oldest = time.time() - _days("30" if unused_days is None else unused_days) * _DAY

    # What a living run has looked up it uses until it ends.
    in_use = any(found.state is State.IN_USE for found in find_all(None))
    since = time.time() - _DAY if in_use else None

    def keep(row: Row) -> bool:
        if since is not None and row.last_used >= since:
            return True
        # Else a tag could be moved unnoticed as soon as its node image is old.
        return not everything and (row.name == TAG or row.last_used >= oldest)

    store, engine = Store(), choose_engine(Shell())
    if not os.path.lexists(store.root):
        say_line(f"There is no store at {store.root}, so there is nothing to prune.")
        return
    found = prunable(store, engine, keep)
    if not dry_run:
        with orderly_end(lambda text: say_line(text, err=True)):
            found = remove_rows(store, engine, found)
    for row in found:
        say_line(f"{'would go' if dry_run else 'removed'}: {row}, {row.size / 2**20:.0f} MiB")
    freed = sum(row.size for row in found) / 2**20
    say_line(f"{'This would free' if dry_run else 'Freed'} {freed:.0f} MiB of {store.root}.")


def _days(text: str) -> float:
    with suppress(ValueError):
        if isfinite(days := float(text)) and days >= 0:
            return days
    raise UsageError(f"--unused-days is '{text}'", "give a number of days from 0")
