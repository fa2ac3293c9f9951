"""The program ``probe`` itself, run on this machine and read by what reads it in clusters."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from meshproof.artifacts.catalog import RECIPES
from meshproof.environment import find_program
from meshproof.errors import EvidenceError
from meshproof.kube.asking import (
    QUESTIONS,
    Failed,
    Question,
    Reply,
    ask,
    ask_all,
    question,
    replies_in,
    written,
)
from meshproof.kube.workload import PodWorkload, spiffe
from meshproof.mesh.credentials import issue
from meshproof.mesh.trust import Authority
from meshproof.process import Finished, Shell
from meshproof.traffic import Answer, Refusal, Target, probe, tls_question
from tests.stand_ins import workload

HERE = IPv4Address("127.0.0.1")
NAME = spiffe("sample", "helloworld")
HELLO = b"GET / HTTP/1.1\r\n\r\n"


@dataclass(frozen=True)
class Local(PodWorkload):
    """Runs the program on this machine."""

    program: Path = field(kw_only=True)

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 60
    ) -> Finished:
        assert argv[0] == "probe"
        return Shell().run(
            [str(self.program), *argv[1:]], input=input, check=check, timeout=timeout
        )


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, vetted and tested by Go's own means."""
    go = find_program("go")
    if go is None:
        pytest.skip("no Go is on this machine")
    made = tmp_path_factory.mktemp("programs")
    settings = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
    for words in (
        ["vet", "./..."],
        ["test", "./..."],
        ["build", "-o", f"{made}/", "./probe", "./helloworld"],
    ):
        subprocess.run(
            [go, *words],
            cwd=RECIPES / "workloads" / "1",
            env={**os.environ, **settings},
            check=True,
            capture_output=True,
            timeout=300,
        )
    return made / "probe"


@pytest.fixture
def local(program: Path) -> Local:
    base = workload("sleep", "east")
    return Local(base.name, base.namespace, base.running, base.node, HERE, program=program)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind((str(HERE), 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def listening(program: Path, *argv: str, said: str = "") -> Iterator[subprocess.Popen[str]]:
    """A program of ours that listens inside the block, until its input ends."""
    words = [str(program), *argv]
    with subprocess.Popen(words, stdin=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None
        running.stdin.write(said)
        running.stdin.flush()
        try:
            yield running
        finally:
            running.kill()


def until_heard(local: Local, target: Target) -> Answer:
    for _ in range(200):
        answer = probe(local, target, 2)
        if answer.refusal is not Refusal.RESET:
            return answer
    raise AssertionError(f"{target} never listened")


def test_an_echo_says_whom_it_hears(local: Local) -> None:
    tcp, udp, patient = free_port(), free_port(socket.SOCK_DGRAM), free_port()
    ports = ("--udp", str(udp), "--patient", str(patient), "--tcp", str(tcp))
    with listening(local.program, "echo", *ports, "west"):
        heard = until_heard(local, Target("the echo", HERE, tcp))
        assert heard == Answer("west hears 127.0.0.1")
        assert probe(local, Target("the echo", HERE, udp, "udp")) == heard
        talked = local.run("probe", "converse", f"{HERE}:{patient}", input="before\nafter\n\n")
        assert talked.stdout.split() == ["before", "after"]


def test_nobody_is_told_from_somebody_silent(local: Local) -> None:
    tcp, udp = free_port(), free_port(socket.SOCK_DGRAM)
    assert probe(local, Target("nobody", HERE, tcp)).refusal is Refusal.RESET
    assert probe(local, Target("nobody", HERE, udp, "udp")).refusal is Refusal.RESET
    with socket.create_server((str(HERE), 0)) as taking:
        mute = Target("somebody", HERE, taking.getsockname()[1])
        assert probe(local, mute, 0.3).refusal is Refusal.UNANSWERED
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taking:
        taking.bind((str(HERE), 0))
        mute = Target("somebody", HERE, taking.getsockname()[1], "udp")
        assert probe(local, mute, 0.3).refusal is Refusal.SILENCE


def test_a_connection_that_is_ended_is_no_silence(local: Local) -> None:
    with socket.create_server((str(HERE), 0)) as taking:
        ending = threading.Thread(target=lambda: taking.accept()[0].close())
        ending.start()
        target = Target("somebody", HERE, taking.getsockname()[1])
        assert probe(local, target, 2).refusal is Refusal.UNANSWERED
        ending.join()


def test_calls_have_methods_headers_and_connections(local: Local) -> None:
    seen: list[tuple[int, str | None, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append((self.client_address[1], self.headers["x-request-id"], self.command))
            body = self.headers["host"].encode()
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body) + (self.path == "/broken")))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection |= self.path == "/broken"

        def do_PUT(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((str(HERE), 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url, where = f"http://a.example:{server.server_port}", f"{HERE}:{server.server_port}"

    def call(path: str, number: int, fresh: bool = False) -> Question:
        headers = {"x-request-id": f"mp-{number}"}
        return Question("http", 5, where, url=f"{url}{path}", headers=headers, fresh=fresh)

    paths = [("/hello", False), ("/hello", False), ("/hello", True), ("/moved", False)]
    asked = [call(path, number, fresh) for number, (path, fresh) in enumerate(paths)]
    put = replace(call("/hello", 4), method="PUT")
    replies = ask_all(local, [*asked, put, call("/broken", 5)])
    server.shutdown()
    server.server_close()
    assert [one for _, one, _ in seen] == [f"mp-{number}" for number in range(6)]
    assert [how for *_, how in seen] == ["GET"] * 4 + ["PUT", "GET"]
    assert seen[0][0] == seen[1][0] != seen[2][0]
    assert [one.status for one in replies[:5]] == [200, 200, 200, 302, 200]
    assert replies[0].body == f"a.example:{server.server_port}"
    assert replies[0].source == f"127.0.0.1:{seen[0][0]}"
    assert [_kind(one) for one in replies] == [None] * 5 + [Failed.BROKEN]


def test_calls_that_come_to_nobody_are_told_apart(local: Local) -> None:
    refused = Question("http", 5, url=f"http://{HERE}:{free_port()}/")
    unknown = Question("http", 5, url="http://no-such-name.invalid/")
    assert [_kind(one) for one in ask_all(local, [refused, unknown])] == [
        Failed.REFUSED,
        Failed.NAME,
    ]


def test_calls_by_grpc_tell_who_answers_and_by_which_status(local: Local) -> None:
    greeter = local.program.parent / "helloworld"
    environment = {"SERVICE_VERSION": "v7", "HOSTNAME": "one", "GRPC_PORT": str(free_port())}
    environment |= {"HTTP_PORT": str(free_port()), "TCP_PORT": str(free_port())}
    here = f"127.0.0.1:{environment['GRPC_PORT']}"
    nobody = f"127.0.0.1:{free_port()}"

    def call(number: int, to: str = here, fresh: bool = False) -> Question:
        headers = {"x-request-id": f"id-{number}"}
        return Question("grpc", 5, to, headers=headers, fresh=fresh)

    with subprocess.Popen([greeter], env=environment) as process:
        try:
            until_heard(local, Target("gRPC", HERE, int(environment["HTTP_PORT"])))
            by_http = f"127.0.0.1:{environment['HTTP_PORT']}"
            asked = [call(1), call(2), call(3, fresh=True), call(4, nobody), call(5, by_http)]
            one, two, alone, refused, other = ask_all(local, asked)
        finally:
            process.terminate()
    assert (one.status, two.status, alone.status) == (200, 200, 200)
    assert one.body.startswith("Hello version: v7, instance: one\nx-request-id: id-1\n")
    assert one.source == two.source != alone.source
    assert [_kind(refused), _kind(other)] == [Failed.REFUSED, Failed.GRPC]
    assert other.failure is not None
    assert other.failure.said.startswith("grpc-status ")


def test_questions_may_be_in_the_environment(local: Local) -> None:
    asked = [question("tcp", HERE, free_port(), HELLO, 2)] * 2
    made = subprocess.run(
        [str(local.program), "ask"],
        env={QUESTIONS: written(asked)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    replies = replies_in(made.stdout, local, len(asked))
    assert [_kind(one) for one in replies] == [Failed.REFUSED] * 2
    with pytest.raises(EvidenceError, match="2 answers to 3 questions"):
        replies_in(made.stdout, local, 3)


def test_an_impostor_shows_its_chain_and_ends_with_its_input(local: Local) -> None:
    port, credential = free_port(), issue(Authority.root("root").intermediate("east"), NAME)
    shown = json.dumps({"chain": credential.chain, "key": credential.key})
    target = Target("the impostor", HERE, port)
    with listening(local.program, "impersonate", str(port), said=f"{shown}\n") as running:
        until_heard(local, target)
        answer = tls_question.ask(local, HERE, port, "anything")
        assert (answer.identity, answer.status, len(answer.chain)) == (NAME, 200, 2)
        assert running.stdin is not None
        running.stdin.close()
        assert running.wait(10) == 0
    assert probe(local, target).refusal is Refusal.RESET


def test_what_speaks_no_tls_shows_nothing(local: Local) -> None:
    port = free_port()
    with listening(local.program, "sink", str(port)):
        until_heard(local, Target("the sink", HERE, port))
        answer = tls_question.ask(local, HERE, port, "anything")
        assert (answer.chain, answer.alert, answer.status) == ((), "", None)
        assert answer.said


def test_a_question_that_cannot_be_put_is_no_silence(local: Local) -> None:
    with pytest.raises(EvidenceError, match="failed by itself: probe: there is no question"):
        ask(local, question("sctp", HERE, 1, HELLO, 1))
    with pytest.raises(EvidenceError, match="without patience"):
        ask(local, question("tcp", HERE, 1, HELLO, 0))


def _kind(reply: Reply) -> Failed | None:
    return None if reply.failure is None else reply.failure.kind
