"""What a program of meshproof's does first of all, before it imports what takes time.

Nothing has been made then: Ctrl-C ends the program without a word, and with an exit code that is
no verdict.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from typing import NoReturn

_COULD_NOT_TELL = 2
"""EXIT_COULD_NOT_TELL of meshproof.errors, which takes time to be imported."""
_FEW_COLLECTIONS = 100_000
"""Objects that are made, and not given back, between two looks for garbage; Python's own is 700."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def leave_quietly_when_interrupted() -> None:
    """End at once, quietly, on Ctrl-C or SIGTERM from now on; also on one that came before."""
    for number in _ENDING:
        # What was ignored stays ignored: nohup relies on it.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(_COULD_NOT_TELL))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def look_for_garbage_rarely() -> None:
    """What is loaded and collected stays: looking for garbage in it takes a tenth of the time."""
    gc.set_threshold(_FEW_COLLECTIONS)


def end(code: int) -> NoReturn:
    """End this program with an exit code, whatever the interpreter makes of an interrupt.

    Python ends by the signal in spite of SystemExit where KeyboardInterrupt was once raised in
    the middle of ``exec`` or ``eval``, as libraries do when they are imported, though it was
    caught.
    """
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)  # nothing is left that could be interrupted
    if code != _COULD_NOT_TELL:
        raise SystemExit(code)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def hold_signals() -> None:
    """Keep signals waiting until the program that replaces this one has begun to listen."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


def listen_as_usual() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, and SIGTERM do the same."""
    for number in _ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
