"""Ctrl-C before anything is made: quiet, and no verdict."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

_STARTS = """
import time
from meshproof.first import {held}leave_quietly_when_interrupted
{before}
leave_quietly_when_interrupted()
print("begun", flush=True)
time.sleep(30)
"""


def started(held: str = "", before: str = "") -> subprocess.Popen[str]:
    code = _STARTS.format(held=held, before=before)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_listening,
    )


def _listening() -> None:
    """A shell starts what it puts in the background with SIGINT ignored, nohup with SIGHUP."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_program_that_has_just_begun_ends_quietly(number: signal.Signals) -> None:
    with started() as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.send_signal(number)
        out, err = program.communicate(timeout=20)
    assert (program.returncode, out, err) == (2, "", "")


def test_a_signal_that_came_before_the_program_could_listen_is_heeded() -> None:
    before = "hold_signals(); import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    with started("hold_signals, ", before) as program:
        out, err = program.communicate(timeout=20)
    assert (program.returncode, out, err) == (2, "", "")
