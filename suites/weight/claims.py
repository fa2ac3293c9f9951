"""What is claimed of weights: the endpoints in sleep's proxy, exactly, and the share of calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from math import lcm

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    believable,
    calls_needed,
    served_by_exactly,
    share_of,
    share_within,
    succeeded,
)
from meshproof.mesh.mesh import Way
from meshproof.mesh.proxy import Endpoint, endpoints, outbound
from meshproof.traffic.calls import Plan, call_from_each
from meshproof.traffic.response import Response
from meshproof.workloads.sample import HOST, PORT, Sample
from meshproof.workloads.scale import usual

_CLUSTER = outbound(HOST, PORT)
# Unequal weights are scheduled: of this many calls each endpoint gets its share but for a few.
_SCHEDULED, _BAND = 160, 0.03
# Equal weights are drawn at random. A share that ignored the replicas would be off by 0.25.
_TOLERANCE = 0.2

Instances = Mapping[str, int]
"""How many pods each version has."""


def instances(sample: Sample, others: Instances | None = None) -> dict[str, int]:
    """How many pods each version has by the topology, but for ``others``."""
    return {one: usual(sample, one) for one in sample.versions} | dict(others or {})


def compared(sample: Sample) -> str:
    """The last version that some caller knows beside another one; the last of all where every
    caller knows one alone, which then answers every call."""
    known = [known_to(sample, name) for name in sample.clusters]
    several = [
        one
        for one in sample.versions
        if any(one in versions and len(versions) > 1 for versions in known)
    ]
    return (several or list(sample.versions))[-1]


def holds(verdict: Verdict) -> bool:
    """Whether it is a PASS."""
    return verdict.outcome is Outcome.PASS


def weights_follow(sample: Sample, counts: Instances) -> Verdict:
    """Each sleep's proxy has one endpoint for each pod of its network, all of the same weight,
    and for each other network its gateways, which weigh as much as the pods behind them."""
    return all_of([_weights(sample, name, counts) for name in sample.clusters])


def shares_follow(
    sample: Sample, version: str, counts: Instances, by: Collection[str] | None = None
) -> Verdict:
    """From each cluster (or those that call, ``by``) a version answers as many of the calls as it
    has of the weight, and none fails.

    Where weights are equal Envoy draws at random, and so does a gateway among what is behind it:
    the binomial test, of calls enough to notice a share that is off by 0.2. Where they differ it
    goes by a schedule: within 3 % of all calls.
    """
    callers = [name for name in by or sample.clusters if _knows(sample, name, version)]
    shares = [_share_due(sample, name, version, counts) for name in callers]
    # Whoever knows no other version is answered by this one alone.
    needed = [calls_needed(share, _TOLERANCE) for share in shares if share < 1]
    times = max((_SCHEDULED, *needed))
    batches = call_from_each(sample, Plan(times=times), callers)
    return all_of(
        _share(sample, responses, version, share)
        for responses, share in zip(batches, shares, strict=True)
    )


def _weights(sample: Sample, caller: str, counts: Instances) -> Verdict:
    known = endpoints(sample.caller(caller), _CLUSTER)
    owners, due, scale = _owners(sample, caller), _due(sample, caller, counts), scale_of(sample)
    weights = Counter[str]()
    for one in known:
        weights[owners.get(_way(one), str(_way(one)))] += one.weight
    odd = [one for one in known if not one.healthy or (one.port == PORT and one.weight != scale)]
    listed = ", ".join(map(_listed, known))
    expected = f"sleep's proxy in {caller} to have {_told(due)}, each pod {scale}, all healthy"
    observed = f"in {caller} {_told(weights) or 'nothing'} ({listed})"
    outcome = Outcome.FAIL if weights != due or odd else Outcome.PASS
    return Verdict(outcome, expected, observed, {f"endpoints in {caller}": listed})


def scale_of(sample: Sample) -> int:
    """What an istiod multiplies weights by, so that they can be shared out among a network's
    gateways (its NetworkGateways.GetLBWeightScaleFactor)."""
    members = sample.topology.members
    gateways = Counter(one.network for one in members if one.gateway is not None)
    return lcm(*gateways.values())


def _due(sample: Sample, caller: str, counts: Instances) -> dict[str, int]:
    """What the versions weigh that each endpoint of the caller's leads to."""
    due = Counter[str]()
    for version in known_to(sample, caller):
        due[_label(sample, caller, version)] += scale_of(sample) * counts[version]
    return dict(due)


def _owners(sample: Sample, caller: str) -> dict[Way, str]:
    """The versions that each endpoint leads to: pods on the caller's network, other gateways."""
    found: dict[Way, str] = {}
    for one in sample.servers().values():
        if one.version in known_to(sample, caller):
            label = _label(sample, caller, one.version)
            found |= dict.fromkeys(sample.ways(caller, one), label)
    return found


def _label(sample: Sample, caller: str, version: str) -> str:
    """A version, with those that come by the same gateways: "v1+v2"."""
    gateways = _gateways(sample, caller, version)
    alike = [
        one
        for one in known_to(sample, caller)
        if one == version or (gateways and _gateways(sample, caller, one) & gateways)
    ]
    return "+".join(alike)


def _gateways(sample: Sample, caller: str, version: str) -> set[str]:
    """The clusters whose gateways lead to a version; none on the caller's own network."""
    there = sample.versions[version]
    if sample.topology.same_network(caller, there):
        return set()
    return set(sample.mesh.ways_to(there))


def known_to(sample: Sample, caller: str) -> list[str]:
    """The versions of the clusters that a caller's istiod knows of, its own included."""
    return [one for one in sample.versions if _knows(sample, caller, one)]


def _knows(sample: Sample, caller: str, version: str) -> bool:
    there = sample.versions[version]
    return caller == there or sample.topology.knows(caller, there)


def _way(one: Endpoint) -> Way:
    return Way(IPv4Address(one.address), one.port)


def _listed(one: Endpoint) -> str:
    return f"{one.address}:{one.port} {one.weight}{'' if one.healthy else ' unhealthy'}"


def _told(weights: Mapping[str, int]) -> str:
    return ", ".join(f"{what} weighing {weight}" for what, weight in sorted(weights.items()))


def _share_due(sample: Sample, caller: str, version: str, counts: Instances) -> float:
    return counts[version] / sum(counts[one] for one in known_to(sample, caller))


def _share(sample: Sample, responses: Sequence[Response], version: str, share: float) -> Verdict:
    caller = responses[0].caller
    known = endpoints(sample.caller(caller), _CLUSTER)
    alone = _label(sample, caller, version) == version
    if share == 1:
        part = served_by_exactly(responses, {version: sample.versions[version]})
    elif alone and len({one.weight for one in known}) > 1:
        part = share_within(responses, version, share - _BAND, share + _BAND)
    else:
        part = share_of(responses, version, share, _TOLERANCE)
    told = replace(part, observed=f"calls from {caller}, answered by {version}: {part.observed}")
    return all_of([believable(responses), succeeded(responses), told])
