"""Calls that go on in the background at a stated rate while something is done to a mesh.

They are made by a program in the callers' own containers, which goes on whatever becomes of this
machine's connection to it, or of the API server; what it prints, and what the callers' proxies log,
is read from the nodes.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from meshproof.errors import EvidenceError, MeshproofError, WaitTimeoutError
from meshproof.kube.node_logs import folder, printed_since
from meshproof.kube.workload import PROXY, PodWorkload
from meshproof.process import side_by_side
from meshproof.traffic.access_log import WITHIN
from meshproof.traffic.calls import HELLO
from meshproof.traffic.stream_history import CallKind, History, Mark, StreamCall
from meshproof.traffic.stream_lines import Lines, unlogged
from meshproof.traffic.stream_timeline import timeline
from meshproof.wait import eventually
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, SLEEP, TCP_PORT, Sample

_ARRIVED_WITHIN = 30.0
"""Seconds for calls to come to their ends and be written down, however busy the machine is."""
_LOOK_EVERY = 1.0
_OVERLAP = 3.0
"""Seconds of the logs that are read again, so that no line is passed over."""


@dataclass(frozen=True)
class StreamPlan:
    """``rate``: calls a second of each caller, of all ``kinds`` together, which take turns, 0 for
    what the run is asked for; ``patience``: seconds that a call may take; ``longest``: seconds
    after which a stream that nobody ends does so itself; ``url``, ``to``: what is called by
    HTTP, and by TCP; ``app``: which pod of each cluster calls."""

    rate: float = 0.0
    kinds: tuple[CallKind, ...] = tuple(CallKind)
    patience: float = 5.0
    longest: float = 1200.0
    url: str = HELLO
    to: str = f"{HELLOWORLD}.{NAMESPACE}:{TCP_PORT}"
    app: str = SLEEP

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
class Calling:
    """A pod that makes calls. ``process``: the program's, in it; ``read_until``: when its logs were
    read last."""

    workload: PodWorkload
    lines: Lines
    process: str
    read_until: float

    @property
    def is_written_down(self) -> bool:
        """Whether all lines are there: the program's, and those of the proxy beside it."""
        whole = self.lines.count == len(self.lines.calls)
        return whole and not unlogged(self.lines.joined({}))

    def end(self) -> None:
        """End the calls. Raises LabError, or CommandError, when that does not come about."""
        self.workload.run("probe", "end-stream", self.process, timeout=90)


@dataclass
class Stream:
    """A stream that goes on, or has ended. ``callers``: by cluster who makes its calls; ``former``:
    the lines of those that have made them before; ``marks``: what was done meanwhile."""

    sample: Sample
    plan: StreamPlan
    callers: dict[str, Calling] = field(default_factory=dict)
    former: dict[str, list[Lines]] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    clusters: dict[str, str] = field(default_factory=dict)
    """Where each pod that was ever seen runs."""
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
            for name, one in self.callers.items():
                if one.lines.count is not None or one.lines.said:
                    said = one.lines.said or "it ended by itself"
                    raise EvidenceError(f"the stream of calls from {name} broke off: {said}")
            return seen()

        with suppress(WaitTimeoutError):
            bounded = within + _ARRIVED_WITHIN
            return eventually(looked, what=what, within=bounded, every=_LOOK_EVERY)
        return False

    def look(self) -> None:
        """Read what was printed since it was looked at before. Raises EvidenceError."""
        self._read_all(self.callers.values())

    def begin(self, caller: str, workload: PodWorkload) -> None:
        """Let a pod make the calls of a caller from now on. Raises CommandError when they do not
        begin, LabError when the pod is not there."""
        lines = Lines(caller, f"mp-{secrets.token_hex(3)}-{caller}")
        at = time.time()
        said = workload.run("probe", "start-stream", input=self.plan.line(lines.name))
        self.callers[caller] = Calling(workload, lines, said.stdout.strip(), at)

    def hand_over(self, caller: str, workload: PodWorkload) -> None:
        """Let another pod make the calls of a caller: it begins, then the one before ends, whose
        lines are all read before this returns, so that it may go. Raises as ``begin``."""
        before = self.callers[caller]
        self.begin(caller, workload)
        self.former.setdefault(caller, []).append(before.lines)
        self._finish([before])

    def calls_of(self, caller: str) -> list[StreamCall]:
        """The calls of a caller that were seen to end when it was looked at last, without the lines
        of its proxy."""
        return [one for lines in self._lines_of(caller) for one in lines.calls.values()]

    def end(self) -> None:
        """End the calls, wait for what is still to be written down, and take down what came of
        them all."""
        self._finish(list(self.callers.values()))
        counts = {name: _sum([one.count for one in self._lines_of(name)]) for name in self.callers}
        calls = [call for name in self.callers for call in self._joined(name)]
        ordered = sorted(calls, key=lambda one: one.at)
        self.history = History(ordered, tuple(self.marks), counts, self.plan.rate)

    def know_pods(self) -> None:
        """Note where the pods run that there are now, as far as API servers say so."""
        with suppress(MeshproofError):
            servers = self.sample.servers().values()
            self.clusters |= {one.name: one.cluster for one in servers}

    def _finish(self, callers: Sequence[Calling]) -> None:
        """End the calls of some pods, and wait for their lines."""
        side_by_side(self.sample.mesh.shell, Calling.end, callers)
        self.know_pods()

        def finished() -> bool:
            self._read_all(callers)
            return all(one.is_written_down for one in callers)

        with suppress(WaitTimeoutError):
            eventually(finished, what="the lines of a stream", within=WITHIN, every=_LOOK_EVERY)

    def _lines_of(self, caller: str) -> list[Lines]:
        return [*self.former.get(caller, ()), self.callers[caller].lines]

    def _joined(self, caller: str) -> Iterator[StreamCall]:
        """The calls of a caller, numbered on from one pod to the next."""
        first = 0
        for lines in self._lines_of(caller):
            for one in lines.joined(self.clusters):
                yield replace(one, number=first + one.number)
            first += lines.count or 0

    def _read_all(self, callers: Iterable[Calling]) -> None:
        side_by_side(self.sample.mesh.shell, self._read, callers)

    def _read(self, one: Calling) -> None:
        pod, begin = one.workload, time.time()
        where = [folder(pod.namespace, pod.name, container) for container in (pod.container, PROXY)]
        # Connections have no request id; the program's own name is in what it says of itself.
        port = self.plan.to.rpartition(":")[2]
        words = [one.lines.name, f'"outbound|{port}|', "probe: "]
        since = one.read_until - _OVERLAP
        one.lines.take(printed_since(pod.running, pod.node, where, since, words))
        one.read_until = begin

    def _latest(self) -> float:
        return min(one.lines.latest for one in self.callers.values())


@contextmanager
def streaming(
    sample: Sample, callers: Sequence[str] | None = None, plan: StreamPlan | None = None
) -> Iterator[Stream]:
    """Calls go on inside the block, from the plan's pod in each of these clusters, by default in
    all that have workloads; afterwards the stream has a ``history``, which is recorded.

    Raises EvidenceError when a stream does not begin, LabError when a caller is not there.
    """
    plan = plan or StreamPlan()
    stream = Stream(sample, replace(plan, rate=plan.rate or sample.calls))
    stream.know_pods()
    try:
        for name in callers or sample.clusters:
            stream.begin(name, sample.caller(name, stream.plan.app))
        yield stream
    finally:
        stream.end()
        if stream.history is not None:
            sample.mesh.lab.recorder.emit("stream", **timeline(stream.history))


def _sum(counts: Sequence[int | None]) -> int | None:
    """How many there are in all; None where one is not known."""
    known = [one for one in counts if one is not None]
    return sum(known) if len(known) == len(counts) else None
