"""The program `meshproof`: its commands, and how each of its ends becomes an exit code.

`meshproof COMMAND --help` says what each takes.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

import meshproof
from meshproof.artifacts import mark_older_store
from meshproof.cli.artifacts import artifacts_app
from meshproof.cli.bench import bench
from meshproof.cli.compare import compare, trend
from meshproof.cli.conformance import conformance_app
from meshproof.cli.doctor import doctor
from meshproof.cli.faults import fault, faults
from meshproof.cli.known_issues import known_issues
from meshproof.cli.labs import down, status, sweep, up
from meshproof.cli.mutants import mutants
from meshproof.cli.report import report
from meshproof.cli.verify import behaviours, verify
from meshproof.console import explained, say_line, with_lost_output
from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_HELD, MeshproofError
from meshproof.lab.older import mark_older_state

_INTERRUPTED = 130
"""What typer makes of a KeyboardInterrupt."""
_HELP = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    help="A conformance test bench for multicluster Istio, on real kind clusters.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings=_HELP,
)
for _command in (
    verify,
    behaviours,
    known_issues,
    report,
    compare,
    trend,
    up,
    down,
    status,
    sweep,
    faults,
    fault,
    doctor,
    bench,
    mutants,
):
    app.command(context_settings=_HELP)(_command)
app.add_typer(artifacts_app, name="artifacts")
app.add_typer(conformance_app, name="conformance")


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


def run() -> int:
    """Do what the command line asks for; returns the exit code.

    Errors become one sentence; only a defect of ours shows a traceback.
    """
    return with_lost_output(_run())


def _run() -> int:
    try:
        # What is not ours, or cannot be read, is told of by whoever needs it.
        with suppress(MeshproofError, OSError):
            mark_older_store()
            mark_older_state()
        code = app(standalone_mode=False)
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
