"""Many TCP connections in one exec, what was heard on each, and what the caller's proxy logged.

curl makes them, which every image has that calls are made from: its request is lines as any others
to helloworld's plain port, and the answer is that of HTTP/0.9, which has no header.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from meshproof.errors import EvidenceError
from meshproof.kube.workload import Workload
from meshproof.traffic.access_log import LogLine, ProxyLog, log_from_now
from meshproof.traffic.response import Refused
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, TCP_PORT, Sample

GREETER = f"{HELLOWORLD}.{NAMESPACE}:{TCP_PORT}"
_MARK = "\x1e"
_SHOWN = f"{_MARK}%{{exitcode}} %{{local_ip}}:%{{local_port}} %{{errormsg}}{_MARK}"
# Helloworld keeps its connections: curl is to end each after the first word, which it cannot write
# down where there is no room. Its trace tells what came.
_GREETED = """
n=0
while [ $((n += 1)) -le "$2" ]; do
    curl -s --http0.9 -N -o /dev/full --trace-ascii - -m "$3" -w "$4" "http://$1"
done
"""
_NOWHERE = ":0"
_HELLO = re.compile(r"hello (\S+) ([a-z0-9-]+)")
# https://curl.se/libcurl/c/libcurl-errors.html
_NO_ROOM = 23
_REFUSALS = {
    0: Refused.RESET,
    6: Refused.NAME,
    7: Refused.CONNECTION,
    28: Refused.TIMEOUT,
    52: Refused.RESET,
    56: Refused.RESET,
}


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection and what came of it.

    ``caller``: the cluster it was made in; ``source``: the "address:port" it was made from;
    ``heard``: whether it was greeted; ``refusal``: how it ended, None where the caller ended
    it; ``version`` and ``pod``: as the greeting claims; ``server``: the pod of that name as the API
    describes it; ``log``: the line in the caller's access log, None when there is none.
    """

    caller: str
    source: str
    heard: bool
    refusal: Refused | None
    said: str
    version: str | None = None
    pod: str | None = None
    server: Workload | None = None
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
        ended = f", then {self.refusal.value} ({self.said})" if self.refusal else ""
        path = f" through {self.log.upstream_host}" if self.log and self.log.upstream_host else ""
        flags = f" [{self.log.flags}]" if self.log and self.log.flags else ""
        return f"{self.source}: {told}{path}{ended}{flags}"


def connect(
    sample: Sample, caller: Workload, times: int, *, to: str = GREETER, patience: float = 10.0
) -> list[Connection]:
    """Connect to helloworld so many times, one after the other, hear its greeting and hang up.

    ``to``: "name:port"; ``patience``: seconds for each. Raises EvidenceError when connections could
    not be tried.
    """
    begin, log, servers = time.monotonic(), log_from_now(caller), sample.servers()
    arguments = ("connect", to, str(times), str(patience), _SHOWN)
    # One that is silent costs its whole patience; nobody waits for more than a few of them.
    bounded = 30 + patience * min(times, 10)
    made = caller.run("sh", "-c", _GREETED, *arguments, check=False, timeout=bounded)
    found = [_read(caller, servers, *one) for one in _pieces(made.stdout)]
    if len(found) != times:
        said = made.stderr.strip()[-300:]
        raise EvidenceError(f"{len(found)} of {times} connections from {caller} were tried: {said}")
    if caller.sidecar:
        found = _with_their_lines(log, found, to)
    _record(sample, caller, to, found, time.monotonic() - begin)
    return found


def _pieces(printed: str) -> list[tuple[str, str]]:
    """What was heard on each connection, and curl's own account of it."""
    pieces = printed.split(_MARK)
    return list(zip(pieces[0::2], pieces[1::2], strict=False))


def _read(
    caller: Workload, servers: Mapping[str, Workload], heard: str, account: str
) -> Connection:
    exit, source, said = account.split(" ", 2)
    greetings, code = _HELLO.findall(heard), int(exit)
    version, pod = greetings[0] if greetings else (None, None)
    return Connection(
        caller=caller.cluster,
        source=source,
        heard=bool(greetings),
        refusal=None if code == _NO_ROOM else _REFUSALS.get(code, Refused.OTHER),
        said=said,
        version=version,
        pod=pod,
        server=servers.get(pod) if pod else None,
    )


def _with_their_lines(log: ProxyLog, found: Sequence[Connection], to: str) -> list[Connection]:
    """The connections with their lines in the caller's log, which bear their sources."""
    wanted = {one.source for one in found} - {_NOWHERE}

    def all_there(lines: Sequence[LogLine]) -> bool:
        return wanted <= {line.downstream for line in lines}

    port = to.rpartition(":")[2]
    lines = log.connections(f"outbound|{port}|", all_there)
    by_source = {line.downstream: line for line in lines}
    return [replace(one, log=by_source.get(one.source)) for one in found]


def _record(
    sample: Sample, caller: Workload, to: str, found: Sequence[Connection], seconds: float
) -> None:
    endings = Counter(one.refusal.value if one.refusal else "greeted" for one in found)
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
        seconds=round(seconds, 3),
    )
