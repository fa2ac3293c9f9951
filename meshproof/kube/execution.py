"""Programs run in pods' containers through the API, as `kubectl exec` does it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from meshproof.errors import CommandError, CommandTimeoutError, LabError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.kube.streams import V4, V5, Streams, streams
from meshproof.process import Finished

_STDIN, _STDOUT, _STDERR, _OUTCOME = range(4)
_ENDING = 5.0
"""Seconds that the connection may stay open once the program has ended."""


@dataclass(frozen=True, slots=True)
class Container:
    """Where programs are run: a pod's container."""

    cluster: RunningCluster = field(repr=False)
    namespace: str
    pod: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} in {self.namespace}/{self.pod} of {self.cluster.name}"


class Session:
    """A program that runs in a container. For one thread at a time."""

    def __init__(self, container: Container, argv: tuple[str, ...], connection: Streams) -> None:
        self._container, self._argv, self._connection = container, argv, connection
        self._begin = time.monotonic()
        self._printed = {_STDOUT: bytearray(), _STDERR: bytearray()}
        self._outcome: bytearray | None = None

    def say(self, text: str) -> None:
        """Put text into its standard input. Raises LabError when the connection is broken."""
        with self._unbroken():
            self._connection.send(_STDIN, text.encode())

    def end_input(self) -> None:
        """Nothing more is said to it: its standard input ends, as far as the API server speaks
        v5.channel.k8s.io. Raises LabError as ``say``."""
        with self._unbroken():
            self._connection.close(_STDIN)

    def ended(self, within: float) -> Finished:
        """What it printed and how it ended, when it has; ``within``: seconds.

        Raises CommandTimeoutError when it has not, LabError when it could not be run or the
        connection broke: then nobody knows how it ended.
        """
        end = time.monotonic() + within
        try:
            with self._unbroken():
                self._read(end)
        except LabError:
            if self._outcome is None:
                raise
        if self._outcome is None:
            raise LabError(f"{self._doing}: the connection was closed before it ended")
        code = exit_code(bytes(self._outcome), self._doing)
        seconds = round(time.monotonic() - self._begin, 3)
        recorder = self._container.cluster.shell.recorder
        recorder.emit("command", argv=list(self._argv), seconds=seconds, returncode=code)
        return Finished(self._argv, code, self._text(_STDOUT), self._text(_STDERR), seconds)

    def _read(self, end: float) -> None:
        """Read until the other side has closed the connection."""
        while True:
            try:
                received = self._connection.receive(end)
            except TimeoutError:
                if self._outcome is not None:
                    return
                said = self._text(_STDOUT), self._text(_STDERR)
                seconds = time.monotonic() - self._begin
                raise CommandTimeoutError(self._argv, seconds, *said) from None
            if received is None:
                return
            stream, data = received
            if not data:
                continue  # by which servers say that the connection stands
            if stream == _OUTCOME:
                self._outcome = (self._outcome or bytearray()) + data
                end = min(end, time.monotonic() + _ENDING)
            elif stream in self._printed:
                self._printed[stream] += data

    def _text(self, stream: int) -> str:
        return self._printed[stream].decode(errors="replace")

    @property
    def _doing(self) -> str:
        return f"could not run '{' '.join(self._argv[:2])}' in {self._container}"

    @contextmanager
    def _unbroken(self) -> Iterator[None]:
        with lab_errors(self._doing.removeprefix("could not ")):
            yield


@contextmanager
def started(container: Container, *argv: str) -> Iterator[Session]:
    """A program runs in a container inside the block. At its end the program's standard input
    ends; one that heeds that ends too.

    Raises LabError, with the API server's words, when it cannot be started.
    """
    path = f"/api/v1/namespaces/{container.namespace}/pods/{container.pod}/exec"
    query = [("container", container.name), *(("command", word) for word in argv)]
    query += [(stream, "true") for stream in ("stdin", "stdout", "stderr")]
    with ExitStack() as stack:
        with lab_errors(f"run '{' '.join(argv[:2])}' in {container}"):
            connection = stack.enter_context(streams(container.cluster, path, query, (V5, V4)))
        yield Session(container, argv, connection)


def run(
    container: Container, *argv: str, input: str | None, check: bool, timeout: float
) -> Finished:
    """Run a program to its end. Raises CommandError when ``check`` and its exit code is not 0,
    CommandTimeoutError and LabError as ``Session.ended``."""
    with started(container, *argv) as session:
        # A program may have ended without reading all: then its outcome tells.
        with suppress(LabError):
            session.say(input or "")
            session.end_input()
        finished = session.ended(timeout)
    if check and finished.returncode != 0:
        raise CommandError(argv, finished.returncode, finished.stdout, finished.stderr)
    return finished


def exit_code(outcome: bytes, doing: str) -> int:
    """The exit code that the Status at the end of a program tells.

    Raises LabError when the Status says that it was not run at all, or nothing that can be read.
    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
    """
    try:
        told = json.loads(outcome)
    except ValueError:
        told = None
    status: dict[str, Any] = told if isinstance(told, dict) else {}
    if status.get("status") == "Success":
        return 0
    if status.get("reason") == "NonZeroExitCode":
        for cause in (status.get("details") or {}).get("causes") or []:
            if cause.get("reason") == "ExitCode" and str(cause.get("message")).isdigit():
                return int(cause["message"])
    raise LabError(f"{doing}: {status.get('message') or 'nothing was said of how it ended'}")
