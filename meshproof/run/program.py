"""meshproof as a program of its own: a run within a command that needs its result."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

from meshproof.errors import WaitTimeoutError

# A run removes its lab, or releases it and heals what it has changed, when it is asked to end.
_CLEANING_UP = 180.0


def run_program(
    words: Sequence[str],
    *,
    folder: Path | None = None,
    printed: Path | None = None,
    within: float | None = None,
) -> int:
    """Run `meshproof` with these words, and return its exit code.

    ``folder``: where it runs, by default here; ``printed``: the file that takes all that it
    prints, by default nothing is taken; ``within``: the seconds that it is given, by default as
    many as it takes. Whoever is interrupted meanwhile, or gives up, asks it to end, and lets it
    clean up after itself for three minutes. Raises WaitTimeoutError.
    """
    argv = [sys.executable, "-P", "-m", "meshproof", *words]
    with (
        printed.open("wb") if printed is not None else nullcontext() as output,
        subprocess.Popen(
            argv,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT if printed is not None else None,
            start_new_session=True,
        ) as running,
    ):
        try:
            return running.wait(within)
        except BaseException as error:
            _end(running)
            if isinstance(error, subprocess.TimeoutExpired):
                what = f"the end of 'meshproof {words[0]}'"
                raise WaitTimeoutError(f"{what} did not come about within {within:.0f} s") from None
            raise


def _end(running: subprocess.Popen[bytes]) -> None:
    """Ask a program to end; who does not in time is ended."""
    running.terminate()
    with suppress(subprocess.TimeoutExpired):
        running.wait(_CLEANING_UP)
    if running.poll() is None:
        running.kill()
