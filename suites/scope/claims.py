"""What is claimed of the scope of configuration: the calls themselves say whose they obeyed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    believable,
    calls_to_meet,
    served_by_exactly,
    succeeded,
)
from meshproof.kube.objects import Object
from meshproof.mesh.routes import destination_rule, marking, to_versions, virtual_service
from meshproof.traffic.calls import Plan, call_from_each
from meshproof.traffic.response import Response
from meshproof.traffic.routing import knows
from meshproof.workloads.sample import HOST, Sample

_HEADER = "x-configured-in"


def rules_of(sample: Sample, cluster: str) -> list[Object]:
    """All calls to one version, each with a header that names the cluster these rules are applied
    in."""
    route = marking(to_versions(HOST, {_chosen(sample, cluster): 100}), {_HEADER: cluster})
    return [destination_rule(HOST, sample.versions), virtual_service(HOST, [route])]


def obeyed(sample: Sample, cluster: str) -> Verdict:
    """Every call from every cluster whose istiod reads it there went to one version and bore that
    cluster's name: its rules count."""
    governed = [one for one in sample.clusters if sample.topology.configured_by(one) == cluster]
    version = _chosen(sample, cluster)
    home = {version: sample.versions[version]}
    return all_of(_marked(sample, lambda _: cluster, home, governed))


def marks_of(cluster: str) -> list[Object]:
    """All calls bear a header that names the cluster this rule is applied in, and go anywhere.

    No subsets: a gateway lets them in only where its own primary knows them.
    """
    anywhere: Object = {"route": [{"destination": {"host": HOST}}]}
    return [virtual_service(HOST, [marking(anywhere, {_HEADER: cluster})])]


def each_governs_its_own(sample: Sample, marking: Collection[str]) -> Verdict:
    """Calls bear the name of the cluster that governs their caller if it is ``marking``, and no
    name otherwise; every version answers everywhere."""
    topology = sample.mesh.deployment.topology

    def mark(caller: str) -> str:
        governing = topology.configured_by(caller)
        return governing if governing in marking else ""

    return all_of(_marked(sample, mark))


def ignored(sample: Sample, rules: Sequence[Object]) -> Verdict:
    """No proxy knows the rules, no call bears a cluster's name, and every version answers."""
    names = sample.clusters
    known = [
        f"{one['kind']} in {name}" for name in names for one in rules if knows(sample, name, one)
    ]
    expected = "no sleep's proxy to know the rules"
    outcome = Outcome.FAIL if known else Outcome.PASS
    proxies = Verdict(outcome, expected, f"known: {', '.join(known) or 'nothing'}")
    return all_of([*_marked(sample, lambda _: ""), proxies])


def _chosen(sample: Sample, cluster: str) -> str:
    """The version that rules in a cluster send all calls to: of those that all callers who obey
    them know, the last whose gateway is configured where they are, for a gateway lets a subset in
    only where its istiod knows it; where none is, the last one on their network."""
    topology, homes = sample.topology, sample.versions
    governing = topology.configured_by(cluster)
    callers = [one for one in sample.clusters if topology.configured_by(one) == governing]
    known = [one for one in homes if all(one in sample.reached_from(who) for who in callers)]
    near = [one for one in known if topology.configured_by(homes[one]) == governing]
    beside = [one for one in known if topology.same_network(homes[one], callers[0])]
    return (near or beside or known)[-1]


def _marked(
    sample: Sample,
    mark: Callable[[str], str],
    home: Mapping[str, str] | None = None,
    callers: Sequence[str] | None = None,
) -> list[Verdict]:
    """Of the calls from each cluster: they succeed, bear the mark that is due to their caller, ""
    for none, and are answered by the versions of ``home``, by default by all."""
    times = calls_to_meet(sample.smallest_share)
    plan = Plan(times=times, headers={"x-show-headers": _HEADER})
    return [
        verdict
        for responses in call_from_each(sample, plan, callers)
        for verdict in (
            believable(responses),
            succeeded(responses),
            _configured_in(responses, mark(responses[0].caller)),
            served_by_exactly(responses, home or sample.reached_from(responses[0].caller)),
        )
    ]


def _configured_in(responses: Sequence[Response], cluster: str) -> Verdict:
    """Whether each call bore the cluster's name; "": no name at all."""
    expected = f"{len(responses)} calls to bear {cluster or 'no cluster'}'s mark"
    marks = [one.shown(_HEADER) for one in responses]
    other = [mark for mark in marks if mark != cluster]
    if other:
        observed = f"{len(other)} of {len(marks)} bear {other[0] or 'no cluster'}'s mark"
        return Verdict(Outcome.FAIL, expected, f"from {responses[0].caller}: {observed}")
    return Verdict(Outcome.PASS, expected, "all of them")
