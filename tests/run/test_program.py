"""meshproof as a program of its own."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from meshproof.errors import WaitTimeoutError
from meshproof.run import program
from meshproof.run.program import run_program


def test_its_exit_code_and_what_it_prints(tmp_path: Path) -> None:
    printed = tmp_path / "said.txt"
    assert run_program(["--version"], printed=printed) == 0
    assert printed.read_text(encoding="utf-8").strip()


def test_one_that_takes_too_long_is_asked_to_end_and_then_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn = tmp_path / "python"
    pid = tmp_path / "pid"
    stubborn.write_text(f"#!/bin/sh\ntrap '' TERM\necho $$ > {pid}\nwhile :; do sleep 0.1; done\n")
    stubborn.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(stubborn))
    monkeypatch.setattr(program, "_CLEANING_UP", 0.2)
    with pytest.raises(WaitTimeoutError, match="the end of 'meshproof verify' did not come about"):
        run_program(["verify"], within=0.5)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text(encoding="utf-8")), signal.SIGCONT)
