"""What is claimed of the way that requests take, so that sabotage can claim the same."""

from __future__ import annotations

from meshproof.expect import Verdict, all_of, calls_to_meet
from meshproof.expect.upstream import went_to
from meshproof.traffic.calls import Plan
from meshproof.traffic.upstream import upstream_of
from meshproof.traffic.wire import Watched, watch
from meshproof.workloads.sample import Sample

_CALLS = 60


def local_versions_by_their_pods(sample: Sample, home: str) -> Verdict:
    """Answers of the caller's own cluster came from a pod's address and port 5000."""
    watched = _watch(sample, home)
    versions = sample.versions_in(home)
    return all_of(went_to(watched, upstream_of(sample, home, version)) for version in versions)


def remote_version_by_its_way(sample: Sample, caller: str, target: str) -> Verdict:
    """Answers of a version in another cluster came by a gateway that leads there across networks,
    by a pod's own address and port 5000 on the same network; the wire saw each of them pass."""
    return went_to(_watch(sample, caller), upstream_of(sample, caller, target))


def _watch(sample: Sample, caller: str) -> Watched:
    times = max(_CALLS, calls_to_meet(sample.smallest_share))
    return watch(sample, sample.caller(caller), Plan(times=times))
