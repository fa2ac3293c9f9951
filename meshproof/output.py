"""What is printed may get lost; a run and its record go on all the same.

A reader that has gone (`| head -1`), a full disk, an encoding that lacks a character or a closed
descriptor must not end a run with an exit code that looks like a verdict.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import TextIO

from meshproof.reading import reason

_DESCRIPTORS = (0, 1, 2)
_NARROWEST = 40
_PATIENCE = 30.0
"""Seconds that a reader who has not gone may take before what is printed counts as lost."""


class _Lossy(io.FileIO):
    """Writes to a descriptor as long as that works, then pretends to."""

    lost: OSError | None = None

    def write(self, data: object) -> int:
        if self.lost is None:
            try:
                written = super().write(data)  # type: ignore[arg-type]
                if written is not None:
                    return written
                self._await_room()
                return 0 if self.lost is None else memoryview(data).nbytes
            except OSError as error:
                self.lost = error
        return memoryview(data).nbytes  # type: ignore[arg-type]

    def _await_room(self) -> None:
        """Who gave us the descriptor has made it non-blocking: wait until it takes something."""
        if not select.select([], [self], [], _PATIENCE)[1]:
            self.lost = OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def guard_output() -> None:
    """Make standard output and error lossy: they never raise. To be called first of all.

    A width that nothing fits into (CI's terminals say 0 columns) counts as not said.
    """
    columns = os.environ.get("COLUMNS", "")
    if not (columns.isdecimal() and int(columns[:9]) >= _NARROWEST):
        os.environ.pop("COLUMNS", None)
    for descriptor in _DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            # Left closed, the next file that is opened would become the output.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdout, sys.stderr = _lossy(sys.stdout, 1), _lossy(sys.stderr, 2)


def lost_output() -> str | None:
    """Why standard output could not be written, if so; that its reader has gone is no trouble."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    error = raw.lost if isinstance(raw, _Lossy) else None
    return None if error is None or error.errno == errno.EPIPE else reason(error)


def _lossy(stream: TextIO | None, descriptor: int) -> TextIO:
    encoding = stream.encoding if stream is not None else "utf-8"
    buffer = io.BufferedWriter(_Lossy(descriptor, "wb", closefd=False))
    return io.TextIOWrapper(buffer, encoding, errors="replace", line_buffering=True)
