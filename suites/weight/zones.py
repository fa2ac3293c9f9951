"""What is claimed of a gateway with instances in several zones behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.control import as_control, with_control
from meshproof.mesh.istiod import known_instances
from meshproof.mesh.mesh import Way
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.workloads.sample import HOST, PORT, Sample
from suites.weight.claims import Instances, known_to, scale_of, shares_follow

ZONES = {"meshproof.za": 1, "meshproof.zb": 2}
"""Where a version has more instances, and how many: unlike in number, so that it can be told
which zone a weight is of."""


def beyond(sample: Sample) -> str:
    """The last version that some caller reaches through a gateway."""
    return sample.pairs(same_network=False)[-1][1]


def zones_add_up(sample: Sample, version: str, counts: Instances) -> Verdict:
    """For callers on other networks the gateways that lead to a version weigh as much as all
    instances behind them, whatever zones these are in, and it answers as many of the calls.

    Rule: "Istio Multicluster Support", the gateway's weight reflects the number of instances.
    INCONCLUSIVE: the caller's istiod does not know all of them, or knows them in one zone.
    """
    callers = [who for who, one in sample.pairs(same_network=False) if one == version]
    return all_of(_add_up(sample, caller, version, counts) for caller in callers)


def gateways_weigh(sample: Sample, version: str, counts: Instances) -> bool:
    """Whether the gateways that lead to a version weigh what they should for all callers."""
    callers = [who for who, one in sample.pairs(same_network=False) if one == version]
    return all(
        _weights(sample, caller, version) == _due(sample, caller, version, counts)
        for caller in callers
    )


def _add_up(sample: Sample, caller: str, version: str, counts: Instances) -> Verdict:
    zones = _zones(sample, caller, version)
    weights = _weigh(sample, caller, version, counts, zones)
    seen = sum(_weights(sample, caller, version).values()) // scale_of(sample)
    if weights.outcome is Outcome.FAIL:
        # Calls go by the weights that there are: a share that does not is another failure.
        counts = {**counts, version: seen}
    shares = [shares_follow(sample, version, counts, by=[caller])] if counts[version] else []
    both = all_of([weights, *shares])
    return with_control(both, as_control(_known_in_zones(sample, caller, version, zones)))


def _weigh(
    sample: Sample, caller: str, version: str, counts: Instances, zones: Counter[str]
) -> Verdict:
    seen, due = _weights(sample, caller, version), _due(sample, caller, version, counts)
    expected = f"in {caller} {_each(due)}, as much as all instances behind"
    behind = f"behind are {zones.total()} instances in {len(zones)} zones ({_listed(zones)})"
    if seen == due:
        return Verdict(Outcome.PASS, expected, f"in {caller} {_each(seen)}; {behind}")
    wrong = [way for way in due if seen[way] != due[way]]
    told = [f"the gateway {way} weighs {seen[way]}, not {due[way]}" for way in wrong]
    ways, scale = len(sample.mesh.ways_to(sample.versions[version])), scale_of(sample)
    one_zone = {scale * number // ways for number in zones.values()}
    alone = all(seen[way] in one_zone for way in wrong)
    like = ", as much as the instances of one zone alone" if alone else ""
    observed = f"in {caller} {', '.join(told)}{like}; {behind}"
    return Verdict(Outcome.FAIL, expected, observed)


def _known_in_zones(sample: Sample, caller: str, version: str, zones: Counter[str]) -> Verdict:
    """The control: the caller's istiod knows each instance behind, and more than one zone."""
    there = _clusters_behind(sample, version)
    pods = sum(one.cluster in there for one in sample.servers().values())
    istiod = sample.topology[caller].primary
    expected = f"the istiod in {istiod} to know {pods} instances behind, in several zones"
    observed = f"the istiod in {istiod} knows {zones.total()} of {pods} ({_listed(zones)})"
    right = zones.total() == pods and len(zones) > 1
    return Verdict(Outcome.PASS if right else Outcome.FAIL, expected, observed)


def _zones(sample: Sample, caller: str, version: str) -> Counter[str]:
    """How many instances the caller's istiod knows behind the gateways, by their zone."""
    istiod, there = sample.topology[caller].primary, _clusters_behind(sample, version)
    known = known_instances(sample.mesh, istiod, HOST, PORT)
    return Counter(one.locality or "no zone" for one in known if one.cluster in there)


def _clusters_behind(sample: Sample, version: str) -> list[str]:
    """The clusters that a gateway which leads to a version leads to."""
    ways = set(sample.mesh.ways_to(sample.versions[version]))
    return [one for one in sample.clusters if ways & set(sample.mesh.ways_to(one))]


def _weights(sample: Sample, caller: str, version: str) -> dict[str, int]:
    """What the gateways that lead to a version weigh in the caller's proxy."""
    found = dict.fromkeys(map(str, _ways(sample, version)), 0)
    for one in endpoints(sample.caller(caller), outbound(HOST, PORT)):
        if (way := f"{one.address}:{one.port}") in found:
            found[way] += one.weight
    return found


def _due(sample: Sample, caller: str, version: str, counts: Instances) -> dict[str, int]:
    """What they should weigh: each instance shares its weight out among those that lead to it."""
    due = dict.fromkeys(_ways(sample, version), 0)
    for one in known_to(sample, caller):
        ways = _ways(sample, one)
        for way in due.keys() & set(ways):
            due[way] += scale_of(sample) * counts[one] // len(ways)
    return {str(way): weight for way, weight in due.items()}


def _ways(sample: Sample, version: str) -> list[Way]:
    return list(sample.mesh.ways_to(sample.versions[version]).values())


def _each(weights: Mapping[str, int]) -> str:
    return ", ".join(f"the gateway {way} weighs {weight}" for way, weight in weights.items())


def _listed(zones: Counter[str]) -> str:
    return ", ".join(f"{zone}: {number}" for zone, number in sorted(zones.items())) or "none"
