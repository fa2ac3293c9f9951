"""Calls that go on in the background at a stated rate while something is done to a mesh.

They are made by a program in the callers' own containers, which goes on whatever becomes of this
machine's connection to it, or of the API server; what it prints, and what the callers' proxies log,
is read from the nodes.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from meshproof.errors import EvidenceError, MeshproofError, WaitTimeoutError
from meshproof.kube.node_logs import folder, printed_since
from meshproof.kube.workload import PROXY, Workload
from meshproof.process import side_by_side
from meshproof.traffic.access_log import WITHIN
from meshproof.traffic.calls import HELLO
from meshproof.traffic.stream_history import CallKind, History, Mark, StreamCall
from meshproof.traffic.stream_lines import Lines, unlogged
from meshproof.traffic.stream_timeline import timeline
from meshproof.wait import eventually
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, TCP_PORT, Sample

USUAL_RATE = 50.0
"""Calls a second that each caller makes."""
_ARRIVED_WITHIN = 30.0
"""Seconds for calls to come to their ends and be written down, however busy the machine is."""
_LOOK_EVERY = 1.0
_OVERLAP = 3.0
"""Seconds of the logs that are read again, so that no line is passed over."""


@dataclass(frozen=True)
class StreamPlan:
    """``rate``: calls a second of each caller, of all ``kinds`` together, which take turns;
    ``patience``: seconds that a call may take; ``longest``: seconds after which a stream that
    nobody ends does so itself."""

    rate: float = USUAL_RATE
    kinds: tuple[CallKind, ...] = tuple(CallKind)
    patience: float = 5.0
    longest: float = 1200.0
    url: str = HELLO
    to: str = f"{HELLOWORLD}.{NAMESPACE}:{TCP_PORT}"

    def line(self, name: str) -> str:
        """As the program reads it. ``name``: what request ids begin with."""
        told = {
            "name": name,
            "rate": self.rate,
            "patience": self.patience,
            "longest": self.longest,
            "kinds": list(self.kinds),
            "url": self.url,
            "address": self.to,
        }
        return json.dumps(told) + "\n"


@dataclass
class Stream:
    """A stream that goes on, or has ended. ``marks``: what was done meanwhile."""

    sample: Sample
    plan: StreamPlan
    callers: dict[str, Workload]
    lines: dict[str, Lines]
    marks: list[Mark] = field(default_factory=list)
    clusters: dict[str, str] = field(default_factory=dict)
    """Where each pod that was ever seen runs."""
    read_until: float = field(default_factory=time.time)
    history: History | None = None

    @contextmanager
    def mark(self, what: str) -> Iterator[None]:
        """Note that something is done inside the block."""
        begin = time.time()
        try:
            yield
        finally:
            self.marks.append(Mark(what, begin, time.time()))
            self.know_pods()

    def flow_for(self, seconds: float) -> None:
        """Wait until the calls that are due within so many seconds have come to their ends.

        Raises EvidenceError when a caller's stream has ended by itself.
        """
        until = time.time() + seconds
        self.flow_until(lambda: self._latest() >= until, f"{seconds:.0f} s of calls", seconds)

    def flow_until(self, seen: Callable[[], bool], what: str, within: float) -> bool:
        """Let calls go on until something is seen in them, or elsewhere; returns whether it was,
        within so many seconds. Raises EvidenceError as ``flow_for``."""

        def looked() -> bool:
            self.look()
            for name, lines in self.lines.items():
                if lines.count is not None or lines.said:
                    said = lines.said or "it ended by itself"
                    raise EvidenceError(f"the stream of calls from {name} broke off: {said}")
            return seen()

        with suppress(WaitTimeoutError):
            bounded = within + _ARRIVED_WITHIN
            return eventually(looked, what=what, within=bounded, every=_LOOK_EVERY)
        return False

    def look(self) -> None:
        """Read what was printed since it was looked at before. Raises EvidenceError."""
        begin = time.time()
        side_by_side(self.sample.mesh.shell, self._read, self.callers)
        self.read_until = begin

    def calls_of(self, caller: str) -> list[StreamCall]:
        """The calls of a caller that were seen to end when it was looked at last, without the lines
        of its proxy."""
        return list(self.lines[caller].calls.values())

    def know_pods(self) -> None:
        """Note where the pods run that there are now, as far as API servers say so."""
        with suppress(MeshproofError):
            servers = self.sample.servers().values()
            self.clusters |= {one.name: one.cluster for one in servers}

    def _read(self, caller: str) -> None:
        workload, lines = self.callers[caller], self.lines[caller]
        where = [
            folder(workload.namespace, workload.name, container)
            for container in (workload.container, PROXY)
        ]
        # Connections have no request id; the program's own name is in what it says of itself.
        port = self.plan.to.rpartition(":")[2]
        words = [lines.name, f'"outbound|{port}|', "probe: "]
        since = self.read_until - _OVERLAP
        lines.take(printed_since(workload.running, workload.node, where, since, words))

    def _latest(self) -> float:
        return min(lines.latest for lines in self.lines.values())

    def _finished(self) -> bool:
        """Whether all lines are there: the program's, and those of the proxies beside them."""
        self.look()
        return all(
            one.count == len(one.calls) and not unlogged(one.joined({}))
            for one in self.lines.values()
        )


@contextmanager
def streaming(
    sample: Sample, callers: Sequence[str] | None = None, plan: StreamPlan | None = None
) -> Iterator[Stream]:
    """Calls go on inside the block, from sleep in each of these clusters, by default in all that
    have workloads; afterwards the stream has a ``history``, which is recorded.

    Raises EvidenceError when a stream does not begin, LabError when a caller is not there.
    """
    plan = plan or StreamPlan()
    workloads = {name: sample.caller(name) for name in callers or sample.clusters}
    run = secrets.token_hex(3)
    lines = {name: Lines(name, f"mp-{run}-{name}") for name in workloads}
    stream = Stream(sample, plan, workloads, lines)
    stream.know_pods()
    processes: dict[str, str] = {}
    try:
        for name, workload in workloads.items():
            said = workload.run("probe", "start-stream", input=plan.line(lines[name].name))
            processes[name] = said.stdout.strip()
        yield stream
    finally:
        _end(stream, processes)


def _end(stream: Stream, processes: dict[str, str]) -> None:
    """End the calls, wait for what is still to be written down, and record it all."""
    side_by_side(
        stream.sample.mesh.shell,
        lambda name: stream.callers[name].run("probe", "end-stream", processes[name], timeout=90),
        processes,
    )
    stream.know_pods()
    with suppress(WaitTimeoutError):
        eventually(stream._finished, what="the lines of a stream", within=WITHIN, every=_LOOK_EVERY)
    calls = [one for lines in stream.lines.values() for one in lines.joined(stream.clusters)]
    stream.history = History(
        calls=sorted(calls, key=lambda one: one.at),
        marks=tuple(stream.marks),
        counts={name: lines.count for name, lines in stream.lines.items()},
        rate=stream.plan.rate,
    )
    stream.sample.mesh.lab.recorder.emit("stream", **timeline(stream.history))
