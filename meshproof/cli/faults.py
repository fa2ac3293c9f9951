"""`meshproof faults` and `meshproof fault`: what can be broken, and one of it for a while."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from meshproof.artifacts import kubernetes_version
from meshproof.cli.options import session_of
from meshproof.console import say_line
from meshproof.doctor.facts import Outcome
from meshproof.doctor.probes import netem
from meshproof.faults.catalogue import FAULTS, Words, fault_named
from meshproof.faults.unhealed import InForce, Stays, forget, noted, unhealed
from meshproof.files import read_footprint
from meshproof.lab import Ingredients, KindLab, Lab
from meshproof.lab.kept import find_kept
from meshproof.model import Site
from meshproof.process import Shell
from meshproof.run.session import orderly_end
from meshproof.run.wired import wiring_of_kept

_NO_NETEM = "Not on this machine: its kernel has no netem."


def faults() -> None:
    """List what can be broken on a kept lab, by 'meshproof fault'."""
    table = Table("fault", "takes", "what is broken while it is in force")
    can_delay = netem(Shell()).outcome is Outcome.WORKS
    for name, one in FAULTS.items():
        lacks = "" if can_delay or not one.netem else f" {_NO_NETEM}"
        table.add_row(name, " ".join(one.takes).replace("[", r"\["), one.what + lacks)
    Console().print(table)


def fault(
    lab: Annotated[str, typer.Argument(help="the id of a kept lab")],
    name: Annotated[str, typer.Argument(help="one of 'meshproof faults'")],
    words: Annotated[list[str] | None, typer.Argument(help="what it takes")] = None,
) -> None:
    """Break one thing on a kept lab until Ctrl-C, and heal it then."""
    chosen, given = fault_named(name), words or []
    chosen.check(name, given)
    with orderly_end(lambda text: say_line(text, err=True)), _taken_over(lab) as found:
        broken = chosen.begin(Words(found, given))
        if chosen.once:
            with broken:
                say_line(f"Done on lab {lab}: {chosen.what}")
            return
        with noted(found.claim, InForce(lab, name, given, chosen.stays), broken):
            say_line(f"In force on lab {lab}: {chosen.what} Ctrl-C heals it.")
            say_line(f"After kill -9 it stays: {chosen.stays.remedy(lab)}.")
            with suppress(KeyboardInterrupt):
                signal.pause()
        say_line(f"Healed on lab {lab}.")


@contextmanager
def _taken_over(lab_id: str) -> Iterator[Lab]:
    """A kept lab, wired as it was left. Raises UsageError where nobody knows how that was."""
    claim, about = find_kept(lab_id)
    listed = ",".join(f"{name}={path}" for name, path in about.footprint.items())
    sites = tuple(Site(name, beside) for name, beside in about.sites.items())
    known = read_footprint(listed, kubernetes_version(about.kubernetes))
    footprint = replace(known, machines=sites)
    session = session_of(about.engine)
    # Nothing is made of them: kind is not asked for anything.
    made_with = Ingredients(session.engine, about.node_image, Path("kind"), session.recorder)
    wiring = wiring_of_kept(claim, about, footprint)
    unhealed(claim)  # what cannot be read is told before anything is touched
    with KindLab.adopt(claim, footprint, made_with, wiring) as lab:
        forget(claim, Stays.UNTIL_USED)
        for one in unhealed(claim):
            say_line(f"Not as it should be: {one}.", err=True)
        yield lab
