"""Calls over a path that is thin for a while: what proxies make of it is told.

Who balances by weights goes on as before ("using weights based on instances and not accounting for
network aspects such as latency or bandwidth limits to remote clusters", Istio Multicluster
Support); Envoy's own choice by open requests moves some of them. Nobody promises a share.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass

from meshproof.expect import Outcome, Verdict
from meshproof.expect.control import as_control
from meshproof.expect.loss import of_a_stream, told_of
from meshproof.faults.between import thin
from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_history import History, StreamCall, Stretch
from meshproof.traffic.stream_over import over
from meshproof.workloads.sample import Sample

THIN = "the path is thin"
"""What is done, as a stream's marks have it."""
_KBIT = 300
_FOR = 20.0
_BEFORE = 15.0
_FEW = 40
_SLOWER = 0.01
"""Seconds by which the median call over the path must be slower: else it was not thin."""
_LEFT_OUT = 0.25
"""The part of its usual share below which a path counts as left out."""


@dataclass(frozen=True, slots=True)
class Path:
    """From a caller's cluster to another, by these addresses and ports."""

    caller: str
    cluster: str
    ways: Collection[str]


def over_a_thin_path(sample: Sample) -> tuple[History, Path]:
    """What comes of a cluster's calls while little gets into another one that it calls, and which
    path that is."""
    caller = next(one for one in sample.homes if len(sample.reached_from(one)) > 1)
    cluster = next(home for home in sample.reached_from(caller).values() if home != caller)

    def doing(stream: Stream, _: ExitStack) -> None:
        stream.flow_for(_BEFORE)
        with stream.mark(THIN), thin(sample.mesh.lab, cluster, _KBIT):
            stream.flow_for(_FOR)
        stream.flow_for(_BEFORE)

    found = over(sample, doing, callers=[caller])
    ways = {
        way
        for version in sample.versions_in(cluster)
        for way in found.ways[caller].get(version, ())
    }
    return found.history, Path(caller, cluster, ways)


def goes_on_over(history: History, path: Path) -> Verdict:
    """While a path is thin proxies do not leave it out: they send requests by it, if fewer; how
    many, how long calls took and what was lost is told."""
    mark = next(one for one in history.marks if one.what == THIN)
    before = _sent(history, path, Stretch(history.begin, mark.begin))
    during = _sent(history, path, Stretch(mark.begin, mark.end))
    after = _sent(history, path, Stretch(mark.end, history.end))
    expected = f"{path.caller} to go on calling {path.cluster} while {THIN}"
    told = f"{_told(before)} before, {_told(during)} meanwhile, {_told(after)} afterwards"
    observed = f"requests by that path: {told}; {told_of(history)}"
    if len(before) < _FEW or len(during) < _FEW or not _share(before):
        unclear = Verdict(Outcome.INCONCLUSIVE, expected, observed)
        return of_a_stream(history, [unclear])
    kept = _share(during) >= _LEFT_OUT * _share(before)
    verdict = Verdict(Outcome.PASS if kept else Outcome.FAIL, expected, observed)
    return of_a_stream(history, [verdict, _was_slow(before, during)])


def _sent(history: History, path: Path, stretch: Stretch) -> list[tuple[StreamCall, bool]]:
    """A caller's requests in a time, and whether each was sent by the path."""
    calls = history.between(stretch.begin, stretch.end)
    return [
        (one, one.log.upstream_host in path.ways)
        for one in calls
        if one.caller == path.caller and one.kind.is_http and one.log is not None
    ]


def _share(sent: Collection[tuple[StreamCall, bool]]) -> float:
    return sum(by for _, by in sent) / len(sent) if sent else 0.0


def _median(sent: Collection[tuple[StreamCall, bool]]) -> float:
    took = sorted(one.seconds for one, by in sent if by)
    return took[len(took) // 2] if took else 0.0


def _told(sent: Collection[tuple[StreamCall, bool]]) -> str:
    return f"{_share(sent):.0%} of {len(sent)} (median {_median(sent) * 1000:.0f} ms)"


def _was_slow(
    before: Collection[tuple[StreamCall, bool]], during: Collection[tuple[StreamCall, bool]]
) -> Verdict:
    """The control: calls by the path took longer meanwhile, or it was not thin at all. Where none
    went by it there is nothing to compare: then the claim itself has failed."""
    expected = f"calls by the path to take longer while {THIN}"
    slow = not any(by for _, by in during) or _median(during) > _median(before) + _SLOWER
    took = f"{_median(before) * 1000:.0f} ms before, {_median(during) * 1000:.0f} ms meanwhile"
    verdict = Verdict(Outcome.PASS if slow else Outcome.FAIL, expected, took)
    return as_control(verdict)
