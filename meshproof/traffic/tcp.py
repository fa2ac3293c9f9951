"""Many TCP connections in one exec, what was heard on each, and what the caller's proxy logged."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from meshproof.kube.asking import Question, Reply, ask_all
from meshproof.kube.workload import PodWorkload
from meshproof.traffic.access_log import LogLine, ProxyLog, log_from_now
from meshproof.traffic.batch import Route, lines_of, routes_of
from meshproof.traffic.calls import REFUSALS
from meshproof.traffic.response import Refused
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, TCP_PORT, Sample

GREETER = f"{HELLOWORLD}.{NAMESPACE}:{TCP_PORT}"
# Lines as any others to helloworld's plain port. Envoy judges a caller by its first byte.
_SAID = b"GET /%b HTTP/1.1\r\n\r\n"
_LENGTHS = 1000
"""So many connections follow one another before one says as much again as an earlier one; what is
said stays within one segment."""
_HELLO = re.compile(r"hello (\S+) ([a-z0-9-]+)")


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection and what came of it.

    ``caller``: the cluster it was made in; ``source``: the "address:port" it was made from, "" if
    it did not come about; ``heard``: whether it was greeted; ``refusal``: how it ended, None where
    the caller ended it; ``said``: that in words, or what was heard; ``version`` and ``pod``: as the
    greeting claims; ``server``: the pod of that name as the API describes it; ``log``: the line in
    the caller's access log, None when there is none.
    """

    caller: str
    source: str
    heard: bool
    refusal: Refused | None
    said: str
    version: str | None = None
    pod: str | None = None
    server: PodWorkload | None = None
    log: LogLine | None = None

    @property
    def agreed(self) -> str | None:
        """The version that greeted, if the greeting and the label of its pod agree."""
        known = self.server is not None and self.server.version == self.version
        return self.version if known else None

    @property
    def cluster(self) -> str | None:
        """The cluster that greeted, by the API's knowledge of the pod."""
        return self.server.cluster if self.server else None

    def __str__(self) -> str:
        by = f"greeted by {self.version} ({self.pod} of {self.cluster})"
        told = by if self.heard else "not greeted"
        ended = f", then {self.refusal.value}" if self.refusal else ""
        ended += f" ({self.said})" if self.said and not self.heard else ""
        path = f" through {self.log.upstream_host}" if self.log and self.log.upstream_host else ""
        flags = f" [{self.log.flags}]" if self.log and self.log.flags else ""
        return f"{self.source}: {told}{path}{ended}{flags}"


def connect(
    sample: Sample, caller: PodWorkload, times: int, *, to: str = GREETER, patience: float = 10.0
) -> list[Connection]:
    """Connect to helloworld so many times, one after the other, hear its greeting and hang up.

    ``to``: "name:port"; ``patience``: seconds for each. Raises as ``asking.ask_all``.
    """
    begin, log, servers = time.monotonic(), log_from_now(caller), sample.servers()
    # One that is silent costs its whole patience; nobody waits for more than a few of them.
    bounded = 30 + patience * min(times, 10)
    asked = [Question("tcp", patience, to, said) for said in _different(sample.numbers, times)]
    found = [_read(caller, servers, one) for one in ask_all(caller, asked, bounded)]
    if caller.sidecar:
        found = _with_their_lines(log, found, [len(one.payload) for one in asked], to)
    _record(sample, caller, to, found, time.monotonic() - begin)
    return found


def _read(caller: PodWorkload, servers: Mapping[str, PodWorkload], reply: Reply) -> Connection:
    failure, text = reply.failure, reply.payload.decode(errors="replace").strip()
    hello = _HELLO.search(text)
    version, pod = hello.groups() if hello else (None, None)
    return Connection(
        caller=caller.cluster,
        source=reply.source,
        heard=bool(hello),
        refusal=REFUSALS[failure.kind] if failure else None,
        said=failure.said if failure else text,
        version=version,
        pod=pod,
        server=servers.get(pod) if pod else None,
    )


def _different(numbers: Iterator[int], times: int) -> list[bytes]:
    """What so many connections say, each of another length than those before it: a connection has
    no request id, and a proxy logs how much came from the client. ``numbers``: go on from call to
    call."""
    return [_SAID % (b"-" * (next(numbers) % _LENGTHS)) for _ in range(times)]


def _with_their_lines(
    log: ProxyLog, found: Sequence[Connection], lengths: Sequence[int], to: str
) -> list[Connection]:
    """The connections with their lines in the caller's log. ``lengths``: what each said, in bytes.

    The source alone does not tell them apart. The kernel gives a connection another one on its way
    to the sidecar where its own is taken there, and lines of earlier connections may come late.
    One that the proxy ended before it had read anything, as a policy makes it, has its source only.
    """
    port = to.rpartition(":")[2]
    made = [(one.source, length) for one, length in zip(found, lengths, strict=True)]

    def all_there(lines: Sequence[LogLine]) -> bool:
        return all(_line_of(source, length, lines) for source, length in made if source)

    lines = log.connections(f"outbound|{port}|", all_there)
    return [
        replace(one, log=_line_of(source, length, lines) if source else None)
        for one, (source, length) in zip(found, made, strict=True)
    ]


def _line_of(source: str, length: int, lines: Sequence[LogLine]) -> LogLine | None:
    """The line of the connection from there that said so much."""
    said = next((one for one in lines if one.received == length), None)
    unread = (one for one in lines if one.downstream == source and not one.received)
    return said or next(unread, None)


def _record(
    sample: Sample, caller: PodWorkload, to: str, found: Sequence[Connection], seconds: float
) -> None:
    endings = Counter(one.refusal.value if one.refusal else "answered" for one in found)
    hosts = Counter(one.log.upstream_host for one in found if one.log and one.log.upstream_host)
    sample.mesh.lab.recorder.emit(
        "calls",
        caller=f"{caller.namespace}/{caller.name}",
        cluster=caller.cluster,
        sidecar=caller.sidecar,
        url=f"tcp://{to}",
        headers={},
        calls=len(found),
        answers=dict(endings),
        versions=dict(Counter(one.version for one in found if one.version)),
        upstreams=dict(hosts),
        routes=routes_of(map(_route, found)),
        lines=lines_of((_route(one), one.log) for one in found),
        seconds=round(seconds, 3),
    )


def _route(one: Connection) -> Route:
    upstream = one.log.upstream_host if one.log is not None else ""
    ended = one.refusal.value if one.refusal else "answered"
    return upstream, one.cluster or "", one.version or "", ended
