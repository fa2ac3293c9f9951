"""Calls that are shared out among localities, whatever their callers' own.

https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/distribute/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from meshproof.expect import Outcome, Verdict, all_of, answered_from_home, share_within
from meshproof.kube.objects import Object
from meshproof.mesh.routes import Tls, destination_rule
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.endpoints import await_pods, pods_amiss, pods_of, usual_pods
from meshproof.traffic.routing import ruled
from meshproof.traffic.settle import arrive
from meshproof.workloads.sample import HOST, Sample
from meshproof.workloads.scale import in_zones, usual

SHARES = (20, 80)
"""What each of two regions gets, in percent: as unlike what instances weigh as can be told."""
CALLS = 300
_BAND = 0.1
"""By so much a share may differ: two workers of a proxy go by schedules of their own, and were
they to draw lots, it would differ by more once in ten thousand times."""
_REGIONS = ("r0", "r1")


def two_of(sample: Sample) -> tuple[str, str]:
    """Two versions that every caller reaches, those that are the farthest apart."""
    return sample.common[0], sample.common[-1]


@contextmanager
def distributed(sample: Sample, shares: Sequence[int] = SHARES) -> Iterator[None]:
    """Inside the block two versions have an instance more each, in regions of their own, and a rule
    shares calls from anywhere out among these regions, and leaves out what is in neither.
    Afterwards proxies have forgotten all of it, or the mesh is marked dirty. Raises EvidenceError
    as ``ruled``, LabError when an instance will not run."""
    versions = two_of(sample)
    counts = {one: usual(sample, one) + (one in versions) for one in sample.versions}
    try:
        with ExitStack() as stack:
            for version, region in zip(versions, _REGIONS, strict=True):
                stack.enter_context(in_zones(sample, version, {f"{region}.z": 1}))
            due = pods_of(sample, counts)
            what = "the instances of two regions"
            arrive(
                sample.mesh, lambda: pods_amiss(sample, due), until=lambda told: not told, what=what
            )
            stack.enter_context(ruled(sample, [sharing(dict(zip(_REGIONS, shares, strict=True)))]))
            yield
    finally:
        if not await_pods(sample, usual_pods(sample)):
            sample.mesh.mark_dirty("the proxies do not forget pods that are gone")


def sharing(shares: Mapping[str, int]) -> Object:
    """The rule. ``shares``: in percent, by region."""
    rule = destination_rule(HOST, (), Tls.ISTIO_MUTUAL)
    to = {f"{region}/*": share for region, share in shares.items()}
    rule["spec"]["trafficPolicy"] |= {
        "outlierDetection": {"consecutive5xxErrors": 100, "baseEjectionTime": "1s"},
        "loadBalancer": {
            "localityLbSetting": {"enabled": True, "distribute": [{"from": "*", "to": to}]}
        },
    }
    return rule


def shared_out(sample: Sample) -> Verdict:
    """From each cluster the two versions answer as many of the calls as the rule gives their
    regions, and others none. Left out are callers that reach both by the same gateway, which
    chooses for itself."""
    first, second = two_of(sample)
    ways = sample.mesh.ways_to
    verdicts = []
    for caller in sample.clusters:
        homes = {one: sample.versions[one] for one in (first, second)}
        far = [one for one in homes.values() if not sample.topology.same_network(caller, one)]
        if len(far) > 1 and set(ways(far[0]).values()) & set(ways(far[1]).values()):
            continue
        responses = call(sample, sample.caller(caller), Plan(times=CALLS))
        verdicts.append(answered_from_home(responses, homes))
        for version, share in zip((first, second), SHARES, strict=True):
            part = share / 100
            verdicts.append(share_within(responses, version, part - _BAND, part + _BAND))
    if not verdicts:
        expected = f"{first} and {second} to share calls"
        return Verdict(Outcome.INCONCLUSIVE, expected, "every caller has one way to both")
    return all_of(verdicts)
