"""What is claimed of calls that machines make and answer, so that sabotage can claim the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    calls_to_meet,
    went_through,
)
from meshproof.expect.upstream import went_to
from meshproof.kube.workload import Workload
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.machines import known_versions, way_to
from meshproof.traffic.response import Response
from meshproof.traffic.upstream import Upstream
from meshproof.traffic.wire import Watched, watch
from meshproof.workloads.sample import Sample


def every_version_answers(sample: Sample, caller: Workload) -> Verdict:
    """Every version that the caller's istiod knows of, in clusters and on machines, answers calls
    by helloworld's name, by its way: by the caller's log, and on the wire, where nothing passed in
    plain text."""
    watched, known = _watched(sample, caller), known_versions(sample, caller)
    ways = [way_to(sample, caller, version) for version in known if version != caller.version]
    return all_of(
        [
            answered_from_home(watched.responses, known),
            *([_by_itself(watched)] if caller.version in known else []),
            *(went_to(watched, way) for way in ways),
            *(_nothing_in_plain_text(watched, way) for way in ways),
        ]
    )


def a_version_answers(sample: Sample, caller: Workload, version: str) -> Verdict:
    """The same of one version alone, among the calls by helloworld's name."""
    watched, way = _watched(sample, caller), way_to(sample, caller, version)
    return all_of([went_to(watched, way), _nothing_in_plain_text(watched, way)])


def _by_itself(watched: Watched) -> Verdict:
    """What the caller's own version answered went to itself, which no wire sees."""
    way = way_to(watched.sample, watched.caller, watched.caller.version)
    theirs = [one for one in watched.responses if one.version == watched.caller.version]
    return went_through(theirs, way.hosts, way.what)


def _nothing_in_plain_text(watched: Watched, way: Upstream) -> Verdict:
    """No segment of plain text passed from the caller to a version's instances, or to the gateways
    that lead there. INCONCLUSIVE: nothing was seen to pass at all."""
    seen = {
        kind: sum(watched.towards(one.address, one.port, kind) for one in way.ways)
        for kind in ("tls", "plain", "http")
    }
    expected = f"nothing in plain text to {way.what}"
    told = ", ".join(f"{kind}: {count}" for kind, count in seen.items())
    if seen["plain"] or seen["http"]:
        return Verdict(Outcome.FAIL, expected, told)
    outcome = Outcome.PASS if seen["tls"] else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, told)


def peers_know_each_other(sample: Sample, caller: Workload) -> Verdict:
    """In calls to every version the server is told of the caller's identity, and the caller's proxy
    of the server's: machines have that of their own accounts, pods of helloworld's."""
    known = known_versions(sample, caller)
    responses = call(sample, caller, Plan(times=_times(known)))
    return all_of([answered_from_home(responses, known), _peers_are(caller, responses)])


def _peers_are(caller: Workload, responses: Sequence[Response]) -> Verdict:
    expected = f"the client to be {caller.identity}, and each server who it is"
    answered = [one for one in responses if one.server is not None and one.log is not None]
    if not answered:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no call was answered and logged")
    wrong = Counter(
        f"{one.version} was told of {one.identity}, served as {one.served_as} and was "
        f"{one.log.upstream_peer or 'nobody'} to the caller"
        for one in answered
        if one.log is not None and _names(one) != _due(caller, one)
    )
    if wrong:
        told, count = wrong.most_common(1)[0]
        return Verdict(Outcome.FAIL, expected, f"{wrong.total()} otherwise: {count} x {told}")
    return Verdict(Outcome.PASS, expected, f"so it was in {len(answered)} calls")


def _names(one: Response) -> tuple[str | None, str | None, str | None]:
    return one.identity, one.served_as, one.log.upstream_peer if one.log is not None else None


def _due(caller: Workload, one: Response) -> tuple[str, str, str]:
    server = one.server.identity if one.server is not None else ""
    return caller.identity, server, server


def _watched(sample: Sample, caller: Workload) -> Watched:
    return watch(sample, caller, Plan(times=_times(known_versions(sample, caller))))


def _times(known: Collection[str]) -> int:
    """How many calls it takes until each of these versions has answered."""
    # One that shares a gateway with another may get less than its part.
    return calls_to_meet(1 / (2 * len(known)), 2**-30)
