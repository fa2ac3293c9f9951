"""`meshproof up`, `down`, `status` and `sweep`: labs that stand on this machine."""

from __future__ import annotations

import time
from contextlib import suppress
from json import dumps
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from meshproof.cli.complete import complete_labs
from meshproof.cli.options import (
    ArchiveOption,
    CheckoutOption,
    DryRunOption,
    EngineOption,
    HubOption,
    IstioctlOption,
    IstioOption,
    KubernetesOption,
    PoolOption,
    SourceOption,
    TagOption,
    UnsupportedOption,
    check_ready,
    session_of,
)
from meshproof.console import say_line
from meshproof.engine import Engine, choose_engine
from meshproof.errors import EXIT_COULD_NOT_TELL, MeshproofError
from meshproof.events import Recorder
from meshproof.files import read_footprint
from meshproof.lab import KindLab
from meshproof.lab.ownership import Claim, Description, LabInUseError, real_state_dir
from meshproof.lab.sweep import (
    Found,
    State,
    find,
    find_all,
    is_in_own_clusters,
    take_down,
    to_be_swept,
    what_would_go,
)
from meshproof.lab.sweep import sweep as sweep_labs
from meshproof.model import wiring_named
from meshproof.narrator import Narrator
from meshproof.owned import STATE, check_not_foreign
from meshproof.process import Shell
from meshproof.run.session import orderly_end
from meshproof.telling import shown


def up(
    clusters: Annotated[
        str, typer.Option(help="names, each with its kind configuration: east,west=same")
    ] = "east,west",
    wiring: Annotated[str, typer.Option(help="isolated or flat")] = "isolated",
    engine: EngineOption = None,
    source: SourceOption = None,
    checkout: CheckoutOption = None,
    kubernetes: KubernetesOption = None,
    istio: IstioOption = None,
    pool: PoolOption = None,
    hub: HubOption = None,
    tag: TagOption = None,
    istioctl: IstioctlOption = None,
    image_archive: ArchiveOption = None,
    unsupported: UnsupportedOption = False,
) -> None:
    """Bring up a lab and leave it in place."""
    session = session_of(
        engine,
        source,
        checkout,
        kubernetes,
        istio,
        pool,
        hub,
        tag,
        istioctl,
        unsupported=unsupported,
        archives=image_archive,
    )
    footprint = read_footprint(clusters, session.wanted.kubernetes)
    wanted = wiring_named(wiring, footprint)
    if session.choices.pool is not None:
        footprint.check_clear_of(session.choices.pool)
    check_ready(session)
    with orderly_end(_say), KindLab.create(footprint, session.ingredients(), wanted) as lab:
        lab.await_dns()
        lab.keep()
    say_line(f"Lab {lab.id} is up. Reach its clusters with:")
    for name in lab.clusters:
        say_line(f"  kubectl --kubeconfig {lab.kubeconfig(name)} get nodes")
    say_line(f"Remove it with: meshproof down {lab.id}")


def down(
    lab: Annotated[
        str,
        typer.Argument(help="the lab's id: eight hexadecimal digits", autocompletion=complete_labs),
    ],
    dry_run: DryRunOption = False,
) -> None:
    """Remove a kept lab."""
    Claim(lab)  # what is no id is told first
    check_not_foreign(real_state_dir(), STATE)
    claim = find(lab)
    description = claim.read()
    if description is not None and is_in_own_clusters(description):
        _leave(claim, description, dry_run=dry_run)
        return
    engine = choose_engine(Shell(), description.engine if description else None)
    if dry_run:
        _tell_what_would_go(engine, claim)
        return
    with orderly_end(_say):
        gone = take_down(engine, claim)
    say_line(f"Lab {lab} is gone: {', '.join(gone)}.")


def _leave(claim: Claim, about: Description, *, dry_run: bool) -> None:
    """Remove from somebody's clusters what a run that was killed has left there."""
    where = ", ".join(about.footprint)
    if dry_run:
        say_line(f"What lab {claim.id} has left would be removed from your clusters {where}.")
        return
    from meshproof.run.leaving import leave

    with orderly_end(_say):
        leave(claim, about, Recorder(listeners=[Narrator(Console(stderr=True))]))
    say_line(f"Lab {claim.id} is gone from your clusters {where}.")


def status(
    json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """List the labs on this machine."""
    check_not_foreign(real_state_dir(), STATE)
    engine, why = None, ""
    try:
        engine = choose_engine(Shell())
    except MeshproofError as error:
        why = str(error)
    labs = find_all(engine)
    if json:
        say_line(dumps([_as_data(found) for found in labs], indent=1))
        if engine is None:
            _say(f"Only folders were looked at: {why}")
            raise typer.Exit(EXIT_COULD_NOT_TELL)
        return
    table = Table()
    for name in ("lab", "state", "clusters", "Kubernetes", "wiring", "age"):
        table.add_column(name, overflow="fold")
    for found in labs:
        about = found.description
        age = f"{(time.time() - about.created) / 60:.0f} min" if about else "?"
        made_of = (
            (", ".join(about.footprint), about.kubernetes, about.wiring) if about else ("?",) * 3
        )
        cells = (found.claim.id, found.state.value, *made_of, age)
        table.add_row(*(Text(shown(cell)) for cell in cells))
    networks = [told for found in labs if (told := _networks(found.description))]
    if engine is not None:
        Console().print(table if labs else "No labs.")
        for told in networks:
            say_line(told)
        return
    Console().print(table if labs else "No labs have left a folder.")
    for told in networks:
        say_line(told)
    _say(f"Only folders were looked at: {why}")
    raise typer.Exit(EXIT_COULD_NOT_TELL)


def _as_data(found: Found) -> dict[str, object]:
    """A lab as JSON values; null where it does not say."""
    about = found.description
    return {
        "lab": found.claim.id,
        "state": found.state.value,
        "clusters": dict(about.footprint) if about else None,
        "kubernetes": about.kubernetes if about else None,
        "wiring": about.wiring if about else None,
        "created": about.created if about else None,
        "engine": about.engine if about else None,
        "networks": dict(about.subnets) if about else None,
    }


def _networks(about: Description | None) -> str:
    """The networks of a lab, and the pool that they were taken from; "" where none are noted."""
    if about is None or not about.subnets:
        return ""
    each = ", ".join(f"{net} ({name})" for name, net in about.subnets.items())
    pool = f", of the pool {about.pool}" if about.pool else ""
    return shown(f"Lab {about.id} has the networks {each}{pool}.", lines=False)


def sweep(
    kept: Annotated[bool, typer.Option("--kept", help="remove kept labs too")] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Remove what runs that were killed have left behind, and nothing else."""
    check_not_foreign(real_state_dir(), STATE)
    engine = choose_engine(Shell())
    if dry_run:
        claims = to_be_swept(engine, also_kept=kept)
        for claim in claims:
            with suppress(LabInUseError):  # somebody has taken it meanwhile
                _tell_what_would_go(engine, claim)
        if not claims:
            say_line("Nothing would be removed.")
        return
    with orderly_end(_say):
        removed = sweep_labs(engine, also_kept=kept)
    for lab, gone in removed.items():
        say_line(f"Removed lab {lab}: {', '.join(gone)}.")
    if not removed:
        say_line("Nothing to remove.")
    own = [found.claim.id for found in find_all(None) if is_in_own_clusters(found.description)]
    for lab in own:
        say_line(f"In clusters of your own, left alone: 'meshproof down {lab}' removes it.")
    in_use = [found.claim.id for found in find_all(None) if found.state is State.IN_USE]
    if in_use:
        say_line(f"In use, left alone: {', '.join(in_use)}.")


def _tell_what_would_go(engine: Engine, claim: Claim) -> None:
    names = what_would_go(engine, claim)
    say_line(f"Of lab {claim.id} there would be removed:")
    for name in names:
        say_line(f"  {name}")


def _say(text: str) -> None:
    say_line(text, err=True)
