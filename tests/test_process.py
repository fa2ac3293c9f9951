"""Programs: recorded, bounded in time, called off together, and gone when their parent is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from meshproof.errors import (
    CancelledError,
    CommandError,
    CommandTimeoutError,
    LabError,
    MeshproofError,
)
from meshproof.process import Shell, called_off, side_by_side
from meshproof.wait import eventually


def test_output_and_input() -> None:
    assert Shell().run(["cat"], input="hello").stdout == "hello"


def test_an_error_carries_the_command_and_its_last_words() -> None:
    with pytest.raises(CommandError, match=r"'sh -c .*' ended with 3, saying: no luck") as caught:
        Shell().run(["sh", "-c", "echo no luck >&2; exit 3"])
    assert caught.value.returncode == 3


def test_a_missing_program_is_named() -> None:
    with pytest.raises(MeshproofError, match="'no-such-program' is not on this machine"):
        Shell().run(["no-such-program"])


def test_time_is_bounded() -> None:
    begin = time.monotonic()
    with pytest.raises(CommandTimeoutError, match="not finished after 0 s"):
        Shell().run(["sleep", "30"], timeout=0.2)
    assert time.monotonic() - begin < 10


def test_a_program_that_does_nothing_is_not_waited_for() -> None:
    begin = time.monotonic()
    with pytest.raises(CommandTimeoutError, match="after 1 s; it said: waiting"):
        Shell().run(["sh", "-c", "echo waiting >&2; exec sleep 30"], timeout=25, silent=1.0)
    assert time.monotonic() - begin < 15


def test_a_program_is_waited_for_as_long_as_what_it_started_does_something() -> None:
    script = "for one in 1 2 3 4 5 6 7 8; do printf %9000s one >/dev/null; sleep 0.4; done"
    finished = Shell().run(["sh", "-c", f"sh -c '{script}'; echo done"], silent=2.0)
    assert finished.stdout == "done\n"


def test_lines_arrive_while_the_program_runs() -> None:
    lines: list[str] = []
    script = "echo one >&2; echo two >&2; echo out"
    finished = Shell().run(["sh", "-c", script], on_stderr_line=lines.append)
    assert (lines, finished.stdout) == (["one", "two"], "out\n")


def test_time_is_bounded_line_by_line_too() -> None:
    lines: list[str] = []
    script = "echo one >&2; exec sleep 30"
    with pytest.raises(CommandTimeoutError, match="not finished after 0 s; it said: one"):
        Shell().run(["sh", "-c", script], timeout=0.4, on_stderr_line=lines.append, check=False)
    assert lines == ["one"]


def test_what_a_program_said_before_its_time_was_up_is_told() -> None:
    with pytest.raises(CommandTimeoutError, match="it said: waiting") as caught:
        Shell().run(["sh", "-c", "echo out; echo waiting >&2; exec sleep 30"], timeout=0.4)
    assert caught.value.stdout == "out\n"


def test_bytes_that_are_no_text_are_read_all_the_same() -> None:
    script = "printf '\\377\\000\\033[31mbad\\033[0m \\303\\244\\n' >&2; exit 1"
    with pytest.raises(CommandError, match="saying: bad ä"):
        Shell().run(["sh", "-c", script])


def test_output_is_utf_8_whatever_the_users_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "latin-1")
    monkeypatch.setattr("locale.getencoding", lambda: "latin-1")
    assert Shell().run(["printf", "\\303\\244"]).stdout == "ä"


def test_what_cannot_be_started_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MeshproofError, match=r"'ls' could not be started \(.*/gone: no such file"):
        Shell().run(["ls"], cwd=tmp_path / "gone")
    with pytest.raises(MeshproofError, match=r"could not be started .*argument list too long"):
        Shell().run(["ls", "x" * 3_000_000])


def test_an_engine_that_is_only_asked_is_ended_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\nwhile :; do sleep 1; done\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    begin = time.monotonic()
    with pytest.raises(CommandTimeoutError):
        Shell().run(["docker", "version"], timeout=0.3)
    assert time.monotonic() - begin < 10


def test_cancel_ends_what_runs_and_refuses_more() -> None:
    shell = Shell()
    threading.Timer(0.2, shell.cancel).start()
    with pytest.raises(CancelledError):
        shell.run(["sleep", "30"])
    with pytest.raises(CancelledError):
        shell.run(["true"])


def test_the_first_failure_side_by_side_is_the_one_reported() -> None:
    shell = Shell()
    begin = time.monotonic()
    with pytest.raises(CommandError, match="broken"):
        side_by_side(
            shell,
            lambda script: shell.run(["sh", "-c", script]),
            ["sleep 30", "sleep 0.1; echo broken >&2; exit 1"],
        )
    assert time.monotonic() - begin < 10


def test_programs_die_with_a_killed_parent() -> None:
    code = "from meshproof.process import Shell; Shell().run(['sleep', '4711'])"
    parent = subprocess.Popen([sys.executable, "-c", code])
    children = eventually(
        lambda: psutil.Process(parent.pid).children(),
        what="the child",
        within=10,
        until=lambda found: any("4711" in child.cmdline() for child in found),
    )
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    gone, alive = psutil.wait_procs(children, timeout=5)
    assert gone and not alive


def test_of_several_failures_side_by_side_the_first_in_time_is_the_cause() -> None:
    shell, failed = Shell(), threading.Event()

    def act(which: str) -> None:
        if which == "later":  # as a wait that is not ended at once, and then fails by itself
            failed.wait(5)
            raise LabError("east does not answer any more")
        failed.set()
        raise LabError("west has no DNS")

    for order in (["later", "first"], ["first", "later"]):
        failed.clear()
        with pytest.raises(LabError, match="west has no DNS"):
            side_by_side(shell, act, order)


def test_a_wait_that_was_called_off_is_no_cause() -> None:
    shell = Shell()

    def inner(which: str) -> None:
        if which == "fails":
            raise LabError("west has no DNS")
        shell_is_off = lambda _: called_off(shell)  # noqa: E731
        eventually(lambda: False, fail_if=shell_is_off, what="x", within=10, every=0.01)

    def outer(which: str) -> None:
        if which == "nested":
            side_by_side(shell, inner, ["waits", "fails"])
            return
        inner("waits")

    with pytest.raises(LabError, match="west has no DNS"):
        side_by_side(shell, outer, ["waits", "nested"])
