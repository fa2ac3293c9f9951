"""One question over TCP or UDP, and the answer or the kind of refusal that came back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address

from meshproof.errors import EvidenceError
from meshproof.kube.workload import Workload
from meshproof.process import Finished

# HTTP servers, proxies and the TLS servers of Kubernetes all answer this, if only to complain.
_QUESTION = "GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n"

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


def probe(workload: Workload, target: Target, patience: float = BRIEF) -> Answer:
    """Ask ``target`` from ``workload`` and wait ``patience`` seconds for the answer.

    A refusal is a value. Raises EvidenceError when the probe itself failed, so that a broken
    probe is never taken for an isolated network.
    """
    ask = _ask_udp if target.protocol == "udp" else _ask_tcp
    return _read(ask(workload, target, patience), target)


def _ask_tcp(workload: Workload, target: Target, patience: float) -> Finished:
    bounds = ("-t", str(patience), "-T", str(patience))
    address = f"TCP4:{target.address}:{target.port},connect-timeout={patience}"
    # Without ignoreeof socat would hang up after asking, and proxies answer nobody who has.
    return workload.run_from_node(
        "socat",
        *bounds,
        "STDIO,ignoreeof",
        address,
        input=_QUESTION,
        check=False,
        timeout=patience + 20,
    )


def _ask_udp(workload: Workload, target: Target, patience: float) -> Finished:
    # socat would wait for more after the answer, since UDP has no end; dd takes one datagram.
    script = f"""exec 3<>/dev/udp/{target.address}/{target.port}
printf 'who is there?\\n' >&3
timeout {patience} dd bs=1500 count=1 status=none <&3 || [ $? = 124 ]
"""
    return workload.run_from_node("bash", input=script, check=False, timeout=patience + 20)


def _read(finished: Finished, target: Target) -> Answer:
    first = next((line for line in finished.stdout.splitlines() if line.strip()), None)
    if first is not None:
        return Answer(first.strip())
    said = finished.stderr
    if "Connection refused" in said:
        return Answer(refusal=Refusal.RESET)
    if "No route to host" in said or "unreachable" in said:
        return Answer(refusal=Refusal.NO_ROUTE)
    if finished.returncode == 0 or "timed out" in said or "Connection reset" in said:
        return Answer(refusal=Refusal.SILENCE)
    raise EvidenceError(f"the probe of {target} failed by itself: {said.strip()[-200:]}")
