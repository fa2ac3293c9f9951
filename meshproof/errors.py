"""What can go wrong, as one small tree.

Every error carries one sentence that names the cause and, where there is one, one that names the
remedy, and the exit code that a command ends with (0 held, 1 something did not, 2 could not
tell, 64 usage).
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from contextlib import suppress

from meshproof.telling import called, plain_lines, shown, telling_line

EXIT_HELD = 0
EXIT_DID_NOT_HOLD = 1
EXIT_COULD_NOT_TELL = 2
EXIT_USAGE = 64


class MeshproofError(Exception):
    """Base of all errors that meshproof raises on purpose; exit code 2: it could not tell."""

    exit_code = EXIT_COULD_NOT_TELL

    def __init__(self, cause: str, remedy: str = "") -> None:
        one_line = isinstance(self, UsageError)  # of what others report some comes in lines
        self.cause = shown(cause.rstrip("."), lines=not one_line)
        self.remedy = shown(remedy.rstrip("."), lines=not one_line)
        super().__init__(f"{self.cause}: {self.remedy}." if self.remedy else f"{self.cause}.")


class UsageError(MeshproofError):
    """The command line or an input file asks for something that cannot exist; exit code 64."""

    exit_code = EXIT_USAGE


class ModelError(UsageError):
    """A cluster, network or wiring that cannot exist was described."""


class EngineError(MeshproofError):
    """The container engine is absent, not running, or refused."""


class ArtifactError(MeshproofError):
    """A binary or image could not be had, built or verified."""


class LabError(MeshproofError):
    """Clusters, networks or the router could not be brought up or were lost."""


class EvidenceError(MeshproofError):
    """A judgement was asked for, but what it would rest on could not be collected."""


class WaitTimeoutError(MeshproofError):
    """Something did not come about in time; the message says what was last seen."""


class WaitFailedError(MeshproofError):
    """Waiting was given up early: a state was seen that cannot recover."""


class CancelledError(MeshproofError):
    """The work was called off (Ctrl-C or SIGTERM) while a program was running."""


class CommandError(MeshproofError):
    """A program that meshproof ran failed.

    ``argv``, ``returncode``, ``stdout`` and ``stderr`` are what a person would ask for first.
    """

    def __init__(self, argv: Sequence[str], returncode: int, stdout: str, stderr: str) -> None:
        self.argv = tuple(argv)
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        super().__init__(f"'{called(argv)}' {self._ending()}")

    def _ending(self) -> str:
        """How the program ended, and the words of its own that tell why."""
        ended = f"ended with {self.returncode}"
        if self.returncode < 0:
            with suppress(ValueError):
                ended = f"was ended by {signal.Signals(-self.returncode).name}"
        return f"{ended}, saying: {telling_line(self.stderr, self.stdout)}"


class CommandTimeoutError(CommandError):
    """A program that meshproof ran did not end in time, and was ended."""

    def __init__(
        self, argv: Sequence[str], seconds: float, stdout: str = "", stderr: str = ""
    ) -> None:
        self.seconds = seconds
        super().__init__(argv, -1, stdout, stderr)

    def _ending(self) -> str:
        said = telling_line(self.stderr) if plain_lines(self.stderr) else ""
        return f"was not finished after {self.seconds:.0f} s" + (
            f"; it said: {said}" if said else ""
        )
