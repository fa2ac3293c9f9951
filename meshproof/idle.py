"""How long a program has done nothing: of one that waits for a server which has fallen silent
nothing else is to be seen."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

_NOTHING = 4096
"""Bytes that a program may read and write by itself, of timers and of wake-ups, in all the time."""


class Idle:
    """A program, with what it has started. It counts as at work while it, or one of those, reads
    or writes: files, pipes and sockets alike (``rchar`` and ``wchar`` of
    https://man7.org/linux/man-pages/man5/proc_pid_io.5.html)."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen = self._bytes()
        self._since = time.monotonic()

    def seconds(self) -> float:
        """For how long it has been idle, as far as that was asked often enough."""
        now = self._bytes()
        if abs(now - self._seen) > _NOTHING:
            self._seen, self._since = now, time.monotonic()
        return time.monotonic() - self._since

    def _bytes(self) -> int:
        total = 0
        with suppress(psutil.Error):
            root = psutil.Process(self._pid)
            for one in (root, *root.children(recursive=True)):
                with suppress(psutil.Error):
                    counted = one.io_counters()
                    total += counted.read_chars + counted.write_chars
        return total
