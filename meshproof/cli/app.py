"""The program `meshproof`: its commands, and how each of its ends becomes an exit code.

`meshproof COMMAND --help` says what each takes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

import meshproof
from meshproof.cli.commands import HELP, Commands
from meshproof.console import explained, say_line, with_lost_output
from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_HELD, MeshproofError
from meshproof.owned import STATE, STORE, is_owned
from meshproof.paths import state_dir, store_dir

_INTERRUPTED = 130
"""What typer makes of a KeyboardInterrupt."""

app = typer.Typer(
    cls=Commands,
    help="A conformance test bench for multicluster Istio, on real kind clusters.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=HELP,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        say_line(f"meshproof {meshproof.__version__}")
        raise typer.Exit


@app.callback()
def everything(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="print it and end"),
    ] = False,
) -> None:
    """A conformance test bench for multicluster Istio, on real kind clusters."""
    # What is not ours, or cannot be read, is told of by whoever needs it.
    with suppress(MeshproofError, OSError):
        _mark_older()


def _mark_older() -> None:
    """Mark a store and a state folder from before such folders were marked. What does it takes
    long to be loaded, and seldom is there anything to do."""
    if _is_unmarked(store_dir(), STORE):
        from meshproof.artifacts import mark_older_store

        mark_older_store()
    if _is_unmarked(state_dir(), STATE):
        from meshproof.lab.older import mark_older_state

        mark_older_state()


def _is_unmarked(folder: Path, kind: str) -> bool:
    real = Path(os.path.realpath(folder))
    return real.is_dir() and any(real.iterdir()) and not is_owned(real, kind)


def run() -> int:
    """Do what the command line asks for; returns the exit code.

    Errors become one sentence; only a defect of ours shows a traceback.
    """
    return with_lost_output(_run())


def _run() -> int:
    try:
        code = app(prog_name="meshproof", standalone_mode=False)
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        return int(code or EXIT_HELD)
    except typer.Exit as ending:
        return ending.exit_code
    except (KeyboardInterrupt, typer.Abort):
        say_line(
            "Interrupted. What was not finished is removed; 'meshproof status' shows what is kept.",
            err=True,
        )
        return EXIT_COULD_NOT_TELL
    except Exception as error:
        return explained(error)
