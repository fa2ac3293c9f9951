"""Calls that go on while something is done to a mesh, and what they should come to: who answers
whom, how often, and by which ways."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from meshproof.errors import EvidenceError, MeshproofError
from meshproof.traffic.renewal import renew_connections
from meshproof.traffic.settle import healed
from meshproof.traffic.stream import Stream, StreamPlan, streaming
from meshproof.traffic.stream_history import History
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import usual

Shares = Mapping[str, Mapping[str, float]]
"""By caller the part of its calls that each version answers, the smallest that it ever is."""
Ways = Mapping[str, Mapping[str, set[str]]]
"""By caller and version where its proxy sends requests: addresses and ports."""
Pods = Mapping[str, set[str]]
"""By caller the pods that are to answer it."""
Doing = Callable[[Stream, ExitStack], None]
"""Does something while a stream goes on; what it puts on the stack is undone when that has
ended."""

_FIRST = 4.0
"""Seconds of calls before anything is done."""


@dataclass(frozen=True)
class Found:
    """A stream over what was done. ``shares``: of those who called; ``ways``: where calls were to
    go at its begin, and at its end; ``pods``: those that were there at its end, for those who
    called; ``behind_one``: as ``behind_one_gateway`` has it."""

    history: History
    shares: Shares
    ways: Ways
    pods: Pods
    behind_one: Mapping[str, Collection[str]] = field(default_factory=dict)


def over(
    sample: Sample,
    doing: Doing,
    *,
    callers: Sequence[str] | None = None,
    more: Mapping[str, int] | None = None,
    plan: StreamPlan | None = None,
) -> Found:
    """What comes of calls while something is done.

    ``callers``: clusters, by default all that have workloads; ``more``: by version how many
    instances there may be beside the usual ones at times. Afterwards the mesh is as it was before,
    or marked dirty. Raises EvidenceError as ``streaming``, and whatever ``doing`` raises.
    """
    try:
        found = _over(sample, doing, callers, more, plan)
    except Exception:
        _at_rest(sample)
        raise
    except BaseException:
        # Whoever interrupts does not wait for it; then nobody knows whether it has healed.
        sample.mesh.mark_dirty("interrupted while it was changed, and not seen to heal")
        raise
    _at_rest(sample)
    return found


def _at_rest(sample: Sample) -> None:
    """Wait until the mesh is at rest, and no server passes on connections unread, or mark it."""
    healed(sample)
    try:
        renew_connections(sample)
    except MeshproofError as error:
        sample.mesh.mark_dirty(f"nobody knows whether connections are passed on: {error.cause}")


def _over(
    sample: Sample,
    doing: Doing,
    callers: Sequence[str] | None,
    more: Mapping[str, int] | None,
    plan: StreamPlan | None,
) -> Found:
    with ExitStack() as stack:
        with streaming(sample, callers, plan) as stream:
            stream.flow_for(_FIRST)
            before = ways_now(sample)
            doing(stream, stack)
            pods, ways = pods_now(sample), _either(before, ways_now(sample))
        if stream.history is None:
            raise EvidenceError("the stream of calls has no end")
        names = stream.callers.keys()
        shares = {name: due for name, due in shares_of(sample, more).items() if name in names}
        heard = {name: due for name, due in pods.items() if name in names}
        return Found(stream.history, shares, ways, heard, behind_one_gateway(sample))


def shares_of(sample: Sample, more: Mapping[str, int] | None = None) -> Shares:
    """By caller the part of its calls that each version answers. ``more``: as for ``over``."""
    found: dict[str, dict[str, float]] = {}
    for caller in sample.clusters:
        known = sample.reached_from(caller)
        most = sum(usual(sample, one) + (more or {}).get(one, 0) for one in known)
        found[caller] = {one: usual(sample, one) / most for one in known}
    return found


def behind_one_gateway(sample: Sample) -> dict[str, set[str]]:
    """By caller the versions that it calls by gateways each of which leads to others that it knows
    as well."""
    found: dict[str, set[str]] = {}
    for caller in sample.clusters:
        far = {
            version: set(sample.mesh.ways_to(home).values())
            for version, home in sample.reached_from(caller).items()
            if not sample.topology.same_network(caller, home)
        }
        found[caller] = {
            version
            for version, ways in far.items()
            if any(ways & others for other, others in far.items() if other != version)
        }
    return found


def ways_now(sample: Sample) -> Ways:
    """By caller and version where proxies are to send requests now."""
    servers = list(sample.servers().values())
    found: dict[str, dict[str, set[str]]] = {caller: {} for caller in sample.clusters}
    for caller, due in found.items():
        for one in servers:
            due.setdefault(one.version, set()).update(map(str, sample.ways(caller, one)))
    return found


def pods_now(sample: Sample) -> Pods:
    """By caller the pods that are to answer it now."""
    servers = list(sample.servers().values())
    knows = sample.topology.knows
    return {
        caller: {one.name for one in servers if knows(caller, one.cluster)}
        for caller in sample.clusters
    }


def _either(one: Ways, other: Ways) -> Ways:
    return {
        caller: {
            version: one[caller].get(version, set()) | other[caller].get(version, set())
            for version in one[caller].keys() | other[caller].keys()
        }
        for caller in one
    }
