"""Programs and ports in pods, through an API server that a test plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from meshproof.engine import Engine
from meshproof.errors import (
    CancelledError,
    CommandError,
    CommandTimeoutError,
    EvidenceError,
    LabError,
)
from meshproof.kube.execution import Container, exit_code, run, started
from meshproof.kube.forward import fetch
from meshproof.process import Shell
from tests.doubles.api_server import CLOSED, Connection, api_server
from tests.evidence.bench import running_cluster

SUCCESS = {"status": "Success"}
V4 = "v4.channel.k8s.io"


def failure(code: int) -> dict[str, object]:
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}


@contextmanager
def container(
    folder: Path,
    play: Callable[[Connection], None],
    protocol: str = "v5.channel.k8s.io",
    refusal: int = 0,
) -> Iterator[Container]:
    """One whose API server is played."""
    with api_server(play, protocol, refusal) as url:
        cluster = running_cluster("east", url, folder)
        cluster._engine = cast(Engine, SimpleNamespace(shell=Shell()))
        yield Container(cluster, "sample", "sleep-1", "sleep")


def cat(seen: Connection) -> None:
    """Prints what it reads, until its input ends."""
    for stream in (1, 3):
        seen.send(stream, b"")
    while True:
        stream, data = seen.receive()
        if stream == CLOSED:
            break
        if data:
            seen.send(1, data)
    seen.send(2, b"that was all\n")
    seen.status(**SUCCESS)
    seen.goodbye()


def test_a_program_reads_prints_and_ends(tmp_path: Path) -> None:
    text = "grüße\n" * 20_000
    with container(tmp_path, cat) as inside:
        done = run(inside, "cat", "-u", input=text, check=True, timeout=10)
    assert (done.stdout, done.stderr, done.returncode) == (text, "that was all\n", 0)


def test_what_is_run_is_said_word_by_word(tmp_path: Path) -> None:
    asked: list[Connection] = []

    def play(seen: Connection) -> None:
        asked.append(seen)
        seen.status(**SUCCESS)
        seen.goodbye()

    with container(tmp_path, play) as inside:
        run(inside, "probe", "a b", "c&d", input=None, check=True, timeout=10)
    assert asked[0].asked == "/api/v1/namespaces/sample/pods/sleep-1/exec"
    assert asked[0].words() == ["probe", "a b", "c&d"]
    assert ("container", "sleep") in asked[0].query
    assert asked[0].protocols == ["v5.channel.k8s.io", V4]


def test_an_exit_code_is_an_error_only_where_it_is_checked(tmp_path: Path) -> None:
    def play(seen: Connection) -> None:
        seen.send(2, b"no luck\n")
        seen.status(**failure(3))
        seen.goodbye()

    with container(tmp_path, play) as inside:
        assert run(inside, "false", input=None, check=False, timeout=10).returncode == 3
        with pytest.raises(CommandError, match="ended with 3, saying: no luck"):
            run(inside, "false", input=None, check=True, timeout=10)


def test_an_older_api_server_is_not_told_of_the_end_of_input(tmp_path: Path) -> None:
    """A program of ours ends at an empty line."""
    heard: list[tuple[int, bytes]] = []

    def play(seen: Connection) -> None:
        heard.append(seen.receive())
        seen.status(**SUCCESS)
        seen.goodbye()
        with pytest.raises(ConnectionError):
            while True:
                heard.append(seen.receive())

    with container(tmp_path, play, V4) as inside:
        run(inside, "probe", "ask", input="{}\n\n", check=True, timeout=10)
    assert heard[0] == (0, b"{}\n\n")
    assert all(stream != CLOSED for stream, _ in heard)


def test_a_program_that_is_not_run_is_told_in_words(tmp_path: Path) -> None:
    def play(seen: Connection) -> None:
        seen.status(status="Failure", reason="InternalError", message="no such program")
        seen.goodbye()

    with (
        container(tmp_path, play) as inside,
        pytest.raises(LabError, match="in sample/sleep-1 of east: no such program"),
    ):
        run(inside, "iptables", "-t", input=None, check=False, timeout=10)


def test_a_pod_that_is_gone_is_told_in_words(tmp_path: Path) -> None:
    with (
        container(tmp_path, cat, refusal=404) as inside,
        pytest.raises(LabError, match='404 Not Found: pods "sleep" not found'),
    ):
        run(inside, "cat", input=None, check=False, timeout=10)


@pytest.mark.parametrize("politely", [True, False])
def test_a_connection_that_breaks_is_no_outcome(tmp_path: Path, politely: bool) -> None:
    def play(seen: Connection) -> None:
        seen.send(1, b"half of it")
        if politely:
            seen.goodbye()

    with container(tmp_path, play) as inside, pytest.raises(LabError, match="the connection "):
        run(inside, "cat", input=None, check=False, timeout=10)


def test_a_program_that_does_not_end_is_left(tmp_path: Path) -> None:
    def play(seen: Connection) -> None:
        seen.send(1, b"so far")
        with pytest.raises(ConnectionError):
            while True:
                seen.receive()

    with container(tmp_path, play) as inside:
        with pytest.raises(CommandTimeoutError) as raised:
            run(inside, "sleep", input=None, check=False, timeout=0.3)
        assert raised.value.stdout == "so far"
        inside.cluster.shell.cancel()
        with pytest.raises(CancelledError):
            run(inside, "sleep", input=None, check=False, timeout=30)


def test_a_program_that_runs_is_spoken_to(tmp_path: Path) -> None:
    with container(tmp_path, cat) as inside, started(inside, "cat") as running:
        running.say("before\n")
        running.say("after\n")
        running.end_input()
        assert running.ended(10).stdout == "before\nafter\n"


@pytest.mark.parametrize("said", [b"", b"broken", b"[]", b'{"status":"Failure"}'])
def test_an_outcome_that_cannot_be_read_is_none(said: bytes) -> None:
    with pytest.raises(LabError):
        exit_code(said, "could not run it")


# --- ports


def answering(text: bytes) -> Callable[[Connection], None]:
    """A port that answers an HTTP request."""

    def play(seen: Connection) -> None:
        seen.send(0, (15000).to_bytes(2, "little"))
        seen.send(1, (15000).to_bytes(2, "little"))
        asked = b""
        while not asked.endswith(b"\r\n\r\n"):
            asked += seen.receive()[1]
        assert asked.startswith(b"POST /logging?level=debug HTTP/1.1\r\n")
        for part in (text[:7], text[7:]):
            seen.send(0, part)

    return play


def asked(inside: Container) -> str:
    where = (inside.cluster, inside.namespace, inside.pod)
    return fetch(*where, 15000, "logging?level=debug", method="POST", timeout=5)


def test_a_port_answers(tmp_path: Path) -> None:
    text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    with container(tmp_path, answering(text), V4) as inside:
        assert asked(inside) == "hello"


def test_an_answer_that_is_no_success_is_told(tmp_path: Path) -> None:
    text = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    with (
        container(tmp_path, answering(text), V4) as inside,
        pytest.raises(EvidenceError, match="it answered 404 Not Found"),
    ):
        asked(inside)


def test_a_port_that_nobody_listens_on_is_told_in_the_nodes_words(tmp_path: Path) -> None:
    def play(seen: Connection) -> None:
        for stream in (0, 1):
            seen.send(stream, (15000).to_bytes(2, "little"))
        seen.send(1, b"dial tcp4 127.0.0.1:15000: connect: connection refused")
        seen.goodbye()

    with (
        container(tmp_path, play, V4) as inside,
        pytest.raises(EvidenceError, match="15000: connect: connection refused"),
    ):
        asked(inside)


def test_a_port_that_says_nothing_is_told(tmp_path: Path) -> None:
    with (
        container(tmp_path, lambda seen: seen.goodbye(), V4) as inside,
        pytest.raises(EvidenceError, match="sample/sleep-1"),
    ):
        asked(inside)


def test_a_pod_without_ports_is_the_labs(tmp_path: Path) -> None:
    with container(tmp_path, cat, V4, refusal=404) as inside, pytest.raises(LabError, match="404"):
        asked(inside)
