"""Says single lines on the terminal, and what went wrong as an exit code."""

from __future__ import annotations

import traceback
from typing import Any

from rich.console import Console

from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_HELD, EXIT_USAGE, MeshproofError
from meshproof.nearest import choose
from meshproof.output import lost_output
from meshproof.reading import reason
from meshproof.telling import shown


def say_line(text: str, *, err: bool = False) -> None:
    """Print a line as it is, however long: without colours, folding or markup."""
    Console(stderr=err).print(text, markup=False, highlight=False, soft_wrap=True)


def with_lost_output(code: int) -> int:
    """An exit code, when what was printed may have got lost: then nothing was shown to hold."""
    lost = lost_output()
    if lost is None:
        return code
    say_line(f"What was printed could not be written in full ({lost}).", err=True)
    return EXIT_COULD_NOT_TELL if code == EXIT_HELD else code


def explained(error: Exception) -> int:
    """Say what went wrong; returns the exit code, which is never that of a verdict."""
    if isinstance(error, MeshproofError):
        say_line(str(error), err=True)
        return error.exit_code
    if hasattr(error, "format_message"):  # the command line library's word for a usage error
        said = _usage(error)
        if said:
            say_line(said, err=True)
        return EXIT_USAGE
    if isinstance(error, OSError):
        what = "something" if error.filename is None else shown(str(error.filename))
        say_line(f"{what} could not be read or written ({reason(error)}).", err=True)
        return EXIT_COULD_NOT_TELL
    say_line("".join(traceback.format_exception(error)).rstrip(), err=True)
    say_line("This is a defect of meshproof: please report it with the lines above.", err=True)
    return EXIT_COULD_NOT_TELL


def _usage(error: Any) -> str:
    """A usage error of the command line library, with where to look; empty where it has no words,
    since the page of help was its answer."""
    path = error.ctx.command_path if getattr(error, "ctx", None) is not None else "meshproof"
    remedy = f"see '{path} --help'"
    option = getattr(error, "option_name", "")
    if hasattr(error, "possibilities"):
        near = choose(option, error.possibilities) if error.possibilities else remedy
        return f"there is no option '{shown(option, lines=False)}': {near}."
    said = shown(error.format_message(), lines=False).rstrip(".")
    return said and f"{said}: {remedy}."
