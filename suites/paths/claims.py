"""What is claimed of the way that requests take, so that sabotage can claim the same."""

from __future__ import annotations

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    believable,
    calls_to_meet,
    succeeded,
    went_through,
)
from meshproof.mesh.mesh import Way
from meshproof.model import Mtls
from meshproof.traffic.calls import Plan
from meshproof.traffic.wire import Watched, watch
from meshproof.workloads.sample import PORT, Sample

_CALLS = 60


def local_versions_by_their_pods(sample: Sample, home: str) -> Verdict:
    """Answers of the caller's own cluster came from a pod's address and port 5000."""
    watched = _watch(sample, home)
    return all_of(
        _by(watched, version, _pods(sample, version), "a pod of its own cluster")
        for version in sample.versions_in(home)
    )


def remote_version_by_its_way(sample: Sample, caller: str, target: str) -> Verdict:
    """Answers of a version in another cluster came by a gateway that leads there across networks,
    by a pod's own address and port 5000 on the same network; the wire saw each of them pass."""
    watched = _watch(sample, caller)
    there = sample.versions[target]
    if sample.topology.same_network(caller, there):
        return _by(watched, target, _pods(sample, target), f"a pod of {there}")
    ways = sample.mesh.ways_to(there)
    return _by(watched, target, set(ways.values()), f"the gateway of {' or '.join(ways)}")


def _watch(sample: Sample, caller: str) -> Watched:
    times = max(_CALLS, calls_to_meet(sample.smallest_share))
    return watch(sample, sample.caller(caller), Plan(times=times))


def _by(watched: Watched, version: str, ways: set[Way], what: str) -> Verdict:
    theirs = [one for one in watched.responses if one.version == version]
    return all_of(
        [
            believable(watched.responses),
            succeeded(watched.responses),
            went_through(theirs, set(map(str, ways)), what),
            _seen_on_the_wire(watched, len(theirs), ways, what),
        ]
    )


def _seen_on_the_wire(watched: Watched, answers: int, ways: set[Way], what: str) -> Verdict:
    """Each request is at least one segment that begins a TLS record, or plain HTTP."""
    plain = watched.sample.mesh.deployment.mtls is Mtls.DISABLED
    kind = "http" if plain else "tls"
    seen = sum(watched.towards(way.address, way.port, kind) for way in ways)
    expected = f"the wire to see at least {answers} requests to {what} pass, as {kind}"
    outcome = Outcome.PASS if seen >= answers else Outcome.FAIL
    return Verdict(outcome, expected, f"{seen} segments", {"counted": str(watched.counted)})


def _pods(sample: Sample, version: str) -> set[Way]:
    servers = sample.servers().values()
    return {Way(one.address, PORT) for one in servers if one.version == version}
