"""Questions that the program ``probe`` puts from inside a workload, and what came of them.

The program is in the image of all workloads of ours (``artifacts/recipes/workloads``). It tells
failures apart by their types, never by their words.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from ipaddress import IPv4Address
from typing import Any, Protocol

from meshproof.errors import EvidenceError
from meshproof.process import Finished

QUESTIONS = "PROBE_QUESTIONS"
"""The variable of its environment in which the program finds its questions where nobody can write
to its input, as in a Job."""
_BESIDES = 20.0
"""Seconds that questions may take beside waiting for answers."""


class Failed(Enum):
    """How an answer can fail to come."""

    REFUSED = "refused"
    NO_ROUTE = "no-route"
    """Also where the own kernel lets nothing out: a Service without its rules yet."""
    SILENCE = "silence"
    UNANSWERED = "unanswered"
    """Connected, and nothing came in time."""
    BROKEN = "broken"
    """Connected, and reset or closed before the answer was complete."""
    NAME = "name"
    TLS = "tls"
    GRPC = "grpc"
    """Answered, with another status of gRPC than OK."""
    OTHER = "other"


class Asker(Protocol):
    """Who runs the program: a workload, or a client outside all clusters."""

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 60
    ) -> Finished:
        """Run it to its end, as ``Workload.run``."""


@dataclass(frozen=True, slots=True)
class Failure:
    """``said``: for people; ``alert``: the number of the TLS alert that came, 0 for none."""

    kind: Failed
    said: str
    alert: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """``kind``: "tcp", "udp", "tls", "http" or "grpc". ``address``: "host:port", of HTTP calls whom
    to call instead of the URL's host, "" for that one; ``patience``: seconds; ``payload``: what is
    said; ``server_name``, ``protocols``, ``chain``, ``key``: what a TLS client shows; ``method``
    and ``headers``: of a call; ``fresh``: a call has a connection of its own."""

    kind: str
    patience: float
    address: str = ""
    payload: bytes = b""
    server_name: str = ""
    protocols: tuple[str, ...] = ()
    chain: str = ""
    key: str = field(default="", repr=False)
    url: str = ""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False

    def line(self) -> str:
        """As the program reads it."""
        said = base64.b64encode(self.payload).decode()
        return json.dumps({**asdict(self), "payload": said}) + "\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """``failure``: None when an answer came; ``payload``: what it says; ``chain``: certificates
    in DER, the server's own first; ``status`` and ``body``: of a call, 0 and "" for none, also of
    an answer that broke off; ``source``: "address:port" that was asked from."""

    failure: Failure | None = None
    payload: bytes = b""
    chain: tuple[bytes, ...] = ()
    status: int = 0
    body: str = ""
    source: str = ""
    seconds: float = 0.0


def question(
    kind: str, address: IPv4Address, port: int, payload: bytes, patience: float
) -> Question:
    """A question by "tcp" or "udp"."""
    return Question(kind, patience, f"{address}:{port}", payload)


def ask(asker: Asker, asked: Question) -> Reply:
    """Put one question, as ``ask_all``."""
    return ask_all(asker, [asked])[0]


def ask_all(asker: Asker, asked: Sequence[Question], timeout: float | None = None) -> list[Reply]:
    """Put questions from somewhere, one after the other; one reply for each, in order.

    ``timeout``: seconds for all of them. An answer that does not come is a value. Raises
    EvidenceError when the program itself failed, so that a broken probe is never taken for an
    isolated network; LabError when it could not be run, CommandTimeoutError when it did not end.
    """
    # Connecting may take as long as the answer.
    bounded = _BESIDES + 2 * sum(one.patience for one in asked) if timeout is None else timeout
    done = asker.run("probe", "ask", input=written(asked), check=False, timeout=bounded)
    if done.returncode != 0:
        said = done.stderr.strip()[-300:] or f"exit code {done.returncode}"
        raise EvidenceError(f"the probe in {asker} failed by itself: {said}")
    return replies_in(done.stdout, asker, len(asked))


def written(asked: Sequence[Question]) -> str:
    """Questions as the program takes them, by its input or by its environment."""
    return "".join(one.line() for one in asked) + "\n"


def replies_in(printed: str, asker: Asker, count: int) -> list[Reply]:
    """What the program printed where it was asked so many questions. Raises EvidenceError
    when it is something else."""
    replies = [_reply(line, asker) for line in printed.splitlines()]
    if len(replies) != count:
        said = f"{len(replies)} answers to {count} questions"
        raise EvidenceError(f"the probe in {asker} failed by itself: {said}")
    return replies


def _reply(line: str, asker: Asker) -> Reply:
    try:
        told: dict[str, Any] = json.loads(line)
        failure = told.get("failure")
        return Reply(
            Failure(Failed(failure["kind"]), failure["said"], failure.get("alert", 0))
            if failure
            else None,
            base64.b64decode(told.get("payload", "")),
            tuple(base64.b64decode(one) for one in told.get("chain", ())),
            told.get("status", 0),
            told.get("body", ""),
            told.get("source", ""),
            told["seconds"],
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise EvidenceError(f"the probe in {asker} printed '{line[:80]}'") from None
