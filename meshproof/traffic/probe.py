"""One question over TCP or UDP, and the answer or the kind of refusal that came back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address

from meshproof.errors import EvidenceError
from meshproof.kube.asking import Asker, Failed, ask, question

# HTTP servers, proxies and the TLS servers of Kubernetes all answer this, if only to complain.
_QUESTIONS = {
    "tcp": b"GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n",
    "udp": b"who is there?\n",
}

BRIEF = 1.2
"""Seconds to wait for an answer that should not come: two attempts of TCP to connect."""
PATIENT = 6.0
"""Seconds to wait for an answer that should come, however busy the machine is."""


class Refusal(Enum):
    """How an answer can fail to come."""

    SILENCE = "silence"
    """Nothing came back in time: dropped on the way, or (UDP) nobody there."""
    RESET = "connection refused"
    """Somebody there said that nobody listens."""
    NO_ROUTE = "no route"
    """A router or the own kernel said that there is no way."""
    UNANSWERED = "connected, and no answer"
    """Somebody took the connection, and said nothing or ended it."""


_REFUSALS = {
    Failed.SILENCE: Refusal.SILENCE,
    Failed.REFUSED: Refusal.RESET,
    Failed.NO_ROUTE: Refusal.NO_ROUTE,
    Failed.UNANSWERED: Refusal.UNANSWERED,
    Failed.BROKEN: Refusal.UNANSWERED,
}


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked: an address, a port, and "tcp" or "udp". ``what`` is for people."""

    what: str
    address: IPv4Address
    port: int
    protocol: str = "tcp"

    def __str__(self) -> str:
        return f"{self.what} at {self.address}:{self.port}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question: the first line of an answer, or the kind of refusal."""

    text: str = ""
    refusal: Refusal | None = None

    def __str__(self) -> str:
        return self.refusal.value if self.refusal else f"the answer '{self.text}'"


def probe(asker: Asker, target: Target, patience: float = BRIEF) -> Answer:
    """Ask ``target`` from ``asker`` and wait ``patience`` seconds for the answer.

    A refusal is a value. Raises EvidenceError when the probe itself failed, so that a broken
    probe is never taken for an isolated network, and as ``asking.ask``.
    """
    said = _QUESTIONS[target.protocol]
    reply = ask(asker, question(target.protocol, target.address, target.port, said, patience))
    if reply.failure is None:
        lines = reply.payload.decode(errors="replace").splitlines()
        return Answer(next((line.strip() for line in lines if line.strip()), ""))
    refusal = _REFUSALS.get(reply.failure.kind)
    if refusal is None:
        raise EvidenceError(f"the probe of {target} failed by itself: {reply.failure.said}")
    return Answer(refusal=refusal)
