"""What crossed the wire between a caller and the endpoints it used, while calls were made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TypeVar

from meshproof.kube.workload import Workload
from meshproof.lab import Lab
from meshproof.lab.network import Counters
from meshproof.traffic.calls import Plan, call, call_from_each
from meshproof.traffic.response import Response
from meshproof.workloads.sample import Sample

_Key = TypeVar("_Key")
_MOST = 20


@dataclass(frozen=True)
class Watched:
    """Calls, and what router and nodes counted meanwhile."""

    sample: Sample
    caller: Workload
    responses: Sequence[Response]
    counted: Counters

    def towards(self, address: IPv4Address, port: int, kind: str) -> int:
        """Segments of ``kind`` ("tls", "http", "plain") from the caller to an endpoint.

        Within a pod's network they bear its own address, beyond it its node's.
        """
        here, sources = self.caller.place, self.caller.seen_as
        return sum(self.counted.conversation(here, kind, one, address, port) for one in sources)

    def arrived(self, server: Workload, port: int, kind: str) -> int:
        """Segments of ``kind`` to a server, from whomever: across networks, from its gateway."""
        found = self.counted.near(server.place, kind).items()
        to = (server.address, port)
        return sum(count for (_, flow), count in found if (flow.target, flow.port) == to)


def watch(sample: Sample, caller: Workload, plan: Plan | None = None) -> Watched:
    """Make calls and count what router and nodes see of them.

    Nothing else may call between the same pods meanwhile.
    """
    before = sample.mesh.lab.counters()
    responses = call(sample, caller, plan)
    return Watched(sample, caller, responses, counted_since(sample.mesh.lab, before))


def watch_from_each(sample: Sample, plan: Plan) -> list[Watched]:
    """The same from sleep in each cluster with workloads, at once: what was counted is of all of
    them together."""
    before = sample.mesh.lab.counters()
    batches = call_from_each(sample, plan)
    counted = counted_since(sample.mesh.lab, before)
    callers = map(sample.caller, sample.clusters)
    return [
        Watched(sample, caller, responses, counted)
        for caller, responses in zip(callers, batches, strict=True)
    ]


def counted_since(lab: Lab, before: Counters) -> Counters:
    """What router and nodes have counted since ``before``, which is recorded."""
    counted = lab.counters() - before
    packets = [
        {"place": place, "kind": kind, "packets": count}
        for (place, kind), count in _largest(counted.packets)
    ]
    flows = [
        {
            "place": place,
            "kind": kind,
            "source": str(flow.source),
            "target": f"{flow.target}:{flow.port}",
            "packets": count,
        }
        for (place, kind, flow), count in _largest(counted.flows)
    ]
    lab.recorder.emit("wire", packets=packets, flows=flows)
    return counted


def _largest(counts: Mapping[_Key, int]) -> list[tuple[_Key, int]]:
    """What was counted at all, the most first, and no more than people read."""
    return Counter({key: count for key, count in counts.items() if count > 0}).most_common(_MOST)
