"""`meshproof bench`: figures on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from meshproof.cli.options import (
    EngineOption,
    SourceOption,
    check_ready,
    check_writable,
    session_of,
)
from meshproof.console import say_line
from meshproof.errors import UsageError
from meshproof.files import read_footprint
from meshproof.paths import absolute
from meshproof.run.selection import chosen_topologies
from meshproof.run.session import orderly_end

_COUNT = re.compile("[1-9][0-9]{0,3}")


def bench(
    rounds: Annotated[str, typer.Option(help="how often each thing is measured")] = "3",
    clusters: Annotated[
        list[str] | None, typer.Option(help="such as east,west; by default one to four")
    ] = None,
    topology: Annotated[list[str] | None, typer.Option(help="by default all")] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="streams of calls by themselves, without clusters")
    ] = False,
    scale: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="the topologies under load instead: services=500,pods=2000"
        ),
    ] = None,
    engine: EngineOption = None,
    source: SourceOption = None,
    output: Annotated[Path, typer.Option(help="where the figures go as JSON")] = Path("bench.json"),
) -> None:
    """Measure clusters and meshes, by hand and by meshproof; prints a table and writes JSON.

    With --clusters, --topology or --stream only what is named is measured; several topologies are
    also measured in one run of verify, but not under load (--scale), which kwok's nodes and pods
    are in the remote.
    """
    from meshproof.bench.lab import FOOTPRINTS, measure
    from meshproof.workloads.load import Load

    if not _COUNT.fullmatch(rounds):
        raise UsageError(f"--rounds is '{rounds}'", "give a number from 1")
    load = Load.parse(scale) if scale is not None else None
    if load is not None and not topology:
        raise UsageError("--scale is of topologies", "name them by --topology")
    everything = not clusters and not topology and not stream
    whole = load is None and (everything or len(topology or ()) > 1)
    footprints = FOOTPRINTS if everything else clusters or ()
    chosen = chosen_topologies(topology or (), ()) if everything or topology else ()
    target = absolute(output)
    if target.is_dir():
        raise UsageError(f"--output names a folder, {output}", "name a file")
    with orderly_end(lambda text: say_line(text, err=True)):
        session = session_of(engine, source)
        for text in footprints:
            read_footprint(text, session.wanted.kubernetes)
        check_ready(session)
        check_writable(target.parent, "the folder of --output,")
        names = [one.name for one in chosen]
        measure(
            session,
            int(rounds),
            target,
            Console(),
            footprints,
            names,
            whole_run=whole,
            stream=stream or everything,
            load=load,
        )
