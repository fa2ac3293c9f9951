"""What is claimed of the TLS mode in a DestinationRule, by calls and by what crossed the wire."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    calls_to_meet,
    refused_with,
    succeeded,
)
from meshproof.expect.control import as_control
from meshproof.expect.upstream import went_to
from meshproof.mesh.mesh import Way
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, call_from_each
from meshproof.traffic.response import Response
from meshproof.traffic.settle import reachable
from meshproof.traffic.upstream import upstream_of
from meshproof.traffic.wire import Watched, watch
from meshproof.workloads.sample import HOST, PORT, Sample
from suites.routing.rules import HEADER

_CALLS = 20


def works(sample: Sample) -> Verdict:
    """From each cluster every version answers, and no call fails."""
    batches = call_from_each(sample, Plan(times=calls_to_meet(sample.smallest_share)))
    return all_of(
        answered_from_home(responses, reachable(sample, name))
        for name, responses in zip(sample.clusters, batches, strict=True)
    )


def encrypted_as_the_mesh_says(sample: Sample) -> Verdict:
    """From each cluster every version answers, and the wire saw TLS with mTLS on, plain text
    with mTLS disabled."""
    # Side by side: the callers' conversations are counted apart.
    shell = sample.mesh.shell
    found = side_by_side(shell, lambda one: _by_their_ways(sample, one), sample.clusters)
    return all_of(verdict for verdicts in found for verdict in verdicts)


def _by_their_ways(sample: Sample, caller: str) -> list[Verdict]:
    times = max(_CALLS, calls_to_meet(sample.smallest_share))
    watched = watch(sample, sample.caller(caller), Plan(times=times))
    reached = reachable(sample, caller)
    ways = [went_to(watched, upstream_of(sample, caller, version)) for version in reached]
    # What the wire saw comes first: where plain text is refused, versions are missing as well.
    return [*ways, answered_from_home(watched.responses, reached)]


def tls_is_not_understood(sample: Sample) -> Verdict:
    """Calls end with 503: the servers answer the TLS handshake in plain text."""
    batches = call_from_each(sample, Plan(times=_CALLS))
    return all_of(
        [
            refused_with(responses, status=503, flags="UF", detail="WRONG_VERSION_NUMBER")
            for responses in batches
        ]
    )


def plain_text_is_not_answered(sample: Sample) -> Verdict:
    """Calls end with 503: the servers' proxies close connections that begin without TLS."""
    batches = call_from_each(sample, Plan(times=_CALLS))
    return all_of(
        [
            refused_with(responses, status=503, flags="UC", detail="connection_termination")
            for responses in batches
        ]
    )


def own_policy_overrides(sample: Sample, versions: Sequence[str], excepted: str) -> Verdict:
    """From each cluster calls for one version, whose subset says mutual TLS, are answered by it;
    calls for the others end with 503, since the rule that their subsets leave as it is says plain
    text."""
    home = {excepted: sample.versions[excepted]}
    own = _wished(sample, excepted)
    others = [batch for one in versions if one != excepted for batch in _wished(sample, one)]
    return all_of(
        [
            *(answered_from_home(responses, home) for responses in own),
            *(as_control(refused_with(responses, status=503)) for responses in others),
        ]
    )


def other_network_is_reached(sample: Sample) -> Verdict:
    """Calls for other networks' versions are answered, and the wire saw them cross."""
    return all_of(_reached(watched) for watched, _ in _watch_remote(sample))


def other_network_is_left_alone(sample: Sample) -> Verdict:
    """Calls for other networks' versions end with 503 at the caller's own proxy, which has no
    endpoint for them, and nothing of them crosses, neither TLS nor plain text."""
    return all_of(_left_alone(*one) for one in _watch_remote(sample))


def versions_elsewhere(sample: Sample) -> list[str]:
    """The versions that some caller has on another network, in order."""
    return list(dict.fromkeys(version for _, version in sample.pairs(same_network=False)))


def _wished(sample: Sample, version: str) -> list[list[Response]]:
    return call_from_each(sample, Plan(times=_CALLS, headers={HEADER: version}))


def _reached(watched: Watched) -> Verdict:
    crossed = _crossed(watched)
    expected = f"at least {_CALLS} segments from {watched.caller.cluster} to cross"
    outcome = Outcome.PASS if crossed >= _CALLS else Outcome.FAIL
    return all_of([succeeded(watched.responses), Verdict(outcome, expected, f"{crossed} segments")])


def _left_alone(watched: Watched, version: str) -> Verdict:
    caller = watched.caller
    refused = refused_with(watched.responses, status=503, flags="UH")
    known = endpoints(caller, outbound(HOST, PORT, version))
    expected = f"nothing to cross from {caller.cluster} for {version}, which has no endpoint there"
    crossed = _crossed(watched)
    observed = f"{crossed} segments crossed, and {len(known)} endpoints are known"
    evidence = {"counted": str(watched.counted), "endpoints": str(known)}
    outcome = Outcome.FAIL if crossed or known else Outcome.PASS
    return all_of([refused, Verdict(outcome, expected, observed, evidence)])


def _watch_remote(sample: Sample) -> list[tuple[Watched, str]]:
    """Calls from each cluster for each version on another network, watched."""
    pairs = sample.pairs(same_network=False)

    def look(name: str) -> list[tuple[Watched, str]]:
        targets = [version for caller, version in pairs if caller == name]
        plans = {version: Plan(times=_CALLS, headers={HEADER: version}) for version in targets}
        return [(watch(sample, sample.caller(name), plans[one]), one) for one in targets]

    # Side by side: the callers' conversations are counted apart.
    callers = dict.fromkeys(caller for caller, _ in pairs)
    found = side_by_side(sample.mesh.shell, look, callers)
    return [one for several in found for one in several]


def _crossed(watched: Watched) -> int:
    """Segments to the other networks' gateways and pods, whatever they begin with."""
    sample, here = watched.sample, watched.caller.cluster
    others = [one for one in sample.clusters if not sample.topology.same_network(one, here)]
    pods = {Way(one.address, PORT) for one in sample.servers().values() if one.cluster in others}
    gateways = {way for name in others for way in sample.mesh.ways_to(name).values()}
    kinds = ("tls", "plain", "dropped")
    return sum(
        watched.towards(way.address, way.port, kind) for way in pods | gateways for kind in kinds
    )
