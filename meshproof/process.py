"""Runs other programs: recorded, timed, and never outliving the run.

Each program gets a session of its own, so that Ctrl-C in the terminal reaches meshproof alone
and meshproof ends its programs itself. If meshproof is killed, the kernel kills them too
(PR_SET_PDEATHSIG, set by setpriv: code between fork and exec would have the kernel copy
Python's page tables for each of a run's thousands of programs); what they had started carries
``MESHPROOF_RUN`` in its environment, by which `meshproof sweep` finds it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil

from meshproof.environment import for_programs
from meshproof.errors import (
    CancelledError,
    CommandError,
    CommandTimeoutError,
    MeshproofError,
    WaitFailedError,
)
from meshproof.events import Recorder
from meshproof.idle import Idle
from meshproof.reading import reason
from meshproof.telling import called, shortened

Item = TypeVar("Item")
Made = TypeVar("Made")

_ENGINE_PROGRAMS = frozenset({"podman", "docker", "netavark", "runc", "crun"})
RUN_VARIABLE = "MESHPROOF_RUN"
_DIES_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")
_ASK_EVERY = 0.5
# An engine that only answers a question leaves nothing half made when it is ended.
_QUESTIONS = frozenset({"version", "--version", "info", "inspect", "ps", "ls", "logs", "service"})


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended: what it was, its exit code and all it printed."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float


@dataclass
class Shell:
    """Runs programs for one run. Safe to use from several threads.

    ``env`` is added to what ``environment.for_programs`` leaves of the process's own
    environment: no program may find the user's clusters by accident.
    """

    recorder: Recorder = field(default_factory=Recorder)
    env: Mapping[str, str] = field(default_factory=dict)
    _live: set[subprocess.Popen[str]] = field(default_factory=set, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _cancelled: bool = False

    def run(
        self,
        argv: Sequence[str],
        *,
        input: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 600.0,
        check: bool = True,
        on_stderr_line: Callable[[str], None] | None = None,
        give_up_if: Callable[[], str | None] | None = None,
        silent: float | None = None,
    ) -> Finished:
        """Run ``argv`` to its end and return what it printed.

        ``timeout``: seconds; ``silent``: those of them that the program, and what it has started,
        may go on without reading or writing anything. With ``on_stderr_line`` each line of standard
        error is passed on while the program runs. ``give_up_if`` is asked every half second and
        returns a reason when there is no use in waiting any more.

        Raises CommandError when ``check`` and the exit code is not 0, CommandTimeoutError when
        the time is up, WaitFailedError with the reason of ``give_up_if``, CancelledError after
        ``cancel``, MeshproofError when the program does not exist or cannot be started.
        """
        begin = time.monotonic()
        process = self._start(argv, env, cwd, wants_input=input is not None)
        try:
            if on_stderr_line is None:
                stdout, stderr = _communicate(process, input, timeout, give_up_if, silent)
            else:
                stdout, stderr = _communicate_by_line(process, on_stderr_line, timeout)
        except subprocess.TimeoutExpired as late:
            _end(process)
            said = _text(late.stdout), _text(late.stderr)
            raise CommandTimeoutError(argv, late.timeout, *said) from None
        except BaseException:
            _end(process)
            raise
        finally:
            with self._lock:
                self._live.discard(process)
        seconds = round(time.monotonic() - begin, 3)
        self.recorder.emit(
            "command", argv=list(argv), seconds=seconds, returncode=process.returncode
        )
        if self._cancelled:
            raise CancelledError(f"'{argv[0]}' was ended because the run was called off")
        if check and process.returncode != 0:
            raise CommandError(argv, process.returncode, stdout, stderr)
        return Finished(tuple(argv), process.returncode, stdout, stderr, seconds)

    def environment(self) -> dict[str, str]:
        """What programs of this run find in their environment."""
        return {**for_programs(os.environ), **self.env}

    def cancel(self) -> None:
        """End all programs that run now, and refuse to start any more."""
        with self._lock:
            self._cancelled = True
            live = list(self._live)
        for process in live:
            _end(process)

    @property
    def cancelled(self) -> bool:
        """Whether the run was called off."""
        return self._cancelled

    def _start(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None,
        cwd: Path | None,
        wants_input: bool,
    ) -> subprocess.Popen[str]:
        environment = {**self.environment(), **(env or {})}
        with self._lock:
            if self._cancelled:
                raise CancelledError("the run was called off")
            for program in (_DIES_WITH_PARENT[0], argv[0]):
                if shutil.which(program, path=environment["PATH"]) is None:
                    raise MeshproofError(
                        f"the program '{program}' is not on this machine",
                        "run 'meshproof doctor --fix'",
                    )
            try:
                process = subprocess.Popen(
                    [*_DIES_WITH_PARENT, *argv],
                    stdin=subprocess.PIPE if wants_input else subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    encoding="utf-8",
                    errors="replace",
                    cwd=cwd,
                    env=environment,
                    start_new_session=True,
                )
            except OSError as error:
                why = f"{error.filename or argv[0]}: {reason(error)}"
                raise MeshproofError(f"'{called(argv)}' could not be started ({why})") from error
            self._live.add(process)
            return process


def json_of(finished: Finished) -> Any:
    """What a program answered in JSON.

    Raises MeshproofError, naming the program and its words, when it did not.
    """
    try:
        return json.loads(finished.stdout)
    except ValueError:
        said = shortened(finished.stdout, 80) or "nothing"
        raise MeshproofError(
            f"'{called(finished.argv)}' did not answer in JSON, but: {said}",
            "see that the program of this name on the PATH is the real one",
        ) from None


def called_off(shell: Shell) -> None:
    """For ``fail_if`` of a wait, which is of no use when the run was called off meanwhile.

    Raises CancelledError then, as programs do that are ended: whatever waits must not be taken
    for what went wrong.
    """
    if shell.cancelled:
        raise CancelledError("the run was called off")


def side_by_side(shell: Shell, act: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """Do the same to all items at once; returns what each gave, in order.

    When one fails or the run is interrupted, the others' programs are ended. The error that came
    first is raised, of whichever item: the others' may be its consequences, and that they were
    called off because of it does not hide it.
    """
    todo = list(items)
    errors: list[BaseException] = []  # in the order in which they came

    def tried(item: Item) -> Made:
        try:
            return act(item)
        except BaseException as error:
            errors.append(error)
            raise

    pool = ThreadPoolExecutor(max_workers=max(len(todo), 1))
    futures = [pool.submit(tried, item) for item in todo]
    try:
        wait(futures, return_when=FIRST_EXCEPTION)
        if errors:
            shell.cancel()
    except BaseException:
        shell.cancel()
        raise
    finally:
        pool.shutdown(wait=True)
    causes = [error for error in errors if not isinstance(error, CancelledError)]
    for error in causes or errors:
        raise error
    return [future.result() for future in futures]


def _communicate(
    process: subprocess.Popen[str],
    input: str | None,
    timeout: float,
    give_up_if: Callable[[], str | None] | None,
    silent: float | None,
) -> tuple[str, str]:
    if give_up_if is None and silent is None:
        return process.communicate(input, timeout=timeout)
    deadline, idle = time.monotonic() + timeout, Idle(process.pid)
    while True:
        try:
            return process.communicate(input, timeout=_ASK_EVERY)
        except subprocess.TimeoutExpired as late:
            reason = give_up_if() if give_up_if is not None else None
            if reason is not None:
                raise WaitFailedError(f"a program was ended: {reason}") from None
            if silent is not None and idle.seconds() > silent:
                late.timeout = silent
                raise
            if time.monotonic() > deadline:
                late.timeout = timeout
                raise


def _communicate_by_line(
    process: subprocess.Popen[str], on_line: Callable[[str], None], timeout: float
) -> tuple[str, str]:
    lines: list[str] = []
    out: list[str] = []
    late = threading.Event()
    assert process.stdout is not None
    assert process.stderr is not None

    def end_late() -> None:
        late.set()
        _end(process)

    reader = threading.Thread(target=lambda pipe: out.append(pipe.read()), args=(process.stdout,))
    reader.start()
    watchdog = threading.Timer(timeout, end_late)
    watchdog.start()
    try:
        for line in process.stderr:
            lines.append(line)
            on_line(line.rstrip("\n"))
        process.wait()
    finally:
        watchdog.cancel()
    reader.join()
    if late.is_set():
        raise subprocess.TimeoutExpired(process.args, timeout, "".join(out), "".join(lines))
    return "".join(out), "".join(lines)


def _text(said: str | bytes | None) -> str:
    """What a program had printed when its time was up: subprocess gives it as it is at hand."""
    return said.decode(errors="replace") if isinstance(said, bytes) else said or ""


def end_programs(programs: Sequence[psutil.Process]) -> None:
    """End programs: politely, then not. The engine's own get half a minute to finish.

    Ended midway, the engine leaves a half made network behind that it later knows nothing of.
    """
    running = [program for program in programs if program.is_running()]
    engines = [program for program in running if _is_engine_at_work(program)]
    others = [program for program in running if program not in engines]
    for program in others:
        with suppress(psutil.NoSuchProcess):
            program.terminate()
    _, stubborn = psutil.wait_procs(others, timeout=3)
    _, slow = psutil.wait_procs(engines, timeout=30)
    for program in (*stubborn, *slow):
        with suppress(psutil.NoSuchProcess):
            program.kill()
    psutil.wait_procs([*stubborn, *slow], timeout=5)


def _end(process: subprocess.Popen[str]) -> None:
    """End a program and all that it has started."""
    with suppress(psutil.NoSuchProcess):
        program = psutil.Process(process.pid)
        end_programs([program, *program.children(recursive=True)])
    process.poll()


def _is_engine_at_work(program: psutil.Process) -> bool:
    """Not so one that is asked something, nor podman's API service: that ends only when idle, but
    heeds SIGTERM in good order."""
    try:
        engine = program.name() in _ENGINE_PROGRAMS
        return engine and _QUESTIONS.isdisjoint(program.cmdline()[:4])
    except psutil.NoSuchProcess:
        return False
