"""`meshproof repro`: one test of an earlier run, made again on a lab that stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from meshproof.cli.complete import complete_runs
from meshproof.cli.verify import become_verify
from meshproof.console import say_line
from meshproof.run.repro import find


def repro(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="a run's folder, a file in it, or a conformance.yaml by itself",
            autocompletion=complete_runs,
        ),
    ],
    test: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEST]",
            help="a test's id, or a behaviour's; by default the first that failed, else the first "
            "that could not be told",
        ),
    ] = None,
) -> None:
    """Make one test of an earlier run again: on the same deployment, of artifacts of the same
    source, on a lab that stays, and say how to enter it."""
    found = find(run, test)
    say_line(f"{found.test} on {found.deployment} was {found.outcome}; it is judged again.")
    become_verify(found.request, lambda made: _tell_differences(found.made_of, made))


def _tell_differences(before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Say which artifacts are not those of that run, as far as both are known."""
    other = [name for name in before if name in now and before[name] != now[name]]
    if other:
        said = ", ".join(sorted(other))
        say_line(f"Not the artifacts of that run, but others of the same versions: {said}.")
