"""What is claimed of the TLS mode in a DestinationRule, by calls and by what crossed the wire."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

from meshproof.expect import Outcome, Verdict, all_of, refused_with, succeeded
from meshproof.mesh.gateways import GATEWAY_PORT
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan
from meshproof.traffic.wire import Watched, watch
from meshproof.workloads.sample import HOST, PORT, Sample
from suites.distribution.claims import every_version_answers
from suites.paths.claims import local_version_by_its_pod, remote_version_by_its_way
from suites.routing.claims import calls_from_everywhere
from suites.routing.rules import HEADER

_CALLS = 20


def works(sample: Sample) -> Verdict:
    """From each cluster every version answers, and no call fails."""
    names = sample.clusters
    return all_of([every_version_answers(sample, name) for name in names])


def encrypted_as_the_mesh_says(sample: Sample) -> Verdict:
    """From each cluster every version answers, and the wire saw TLS with mTLS on, plain text
    with mTLS disabled."""
    names = sample.clusters
    shell = sample.mesh.shell
    # Side by side: the callers' conversations are counted apart.
    near = side_by_side(shell, lambda one: local_version_by_its_pod(sample, one), names)
    far = side_by_side(shell, lambda one: remote_version_by_its_way(sample, one), names)
    return all_of([*near, *far])


def tls_is_not_understood(sample: Sample) -> Verdict:
    """Calls end with 503: the servers answer the TLS handshake in plain text."""
    batches = calls_from_everywhere(sample, Plan(times=_CALLS))
    return all_of(
        [
            refused_with(responses, status=503, flags="UF", detail="WRONG_VERSION_NUMBER")
            for responses in batches
        ]
    )


def plain_text_is_not_answered(sample: Sample) -> Verdict:
    """Calls end with 503: the servers' proxies close connections that begin without TLS."""
    batches = calls_from_everywhere(sample, Plan(times=_CALLS))
    return all_of(
        [
            refused_with(responses, status=503, flags="UC", detail="connection_termination")
            for responses in batches
        ]
    )


def other_network_is_reached(sample: Sample) -> Verdict:
    """Calls for the other network's version are answered, and the wire saw them cross."""
    return all_of(map(_reached, _watch_remote(sample)))


def other_network_is_left_alone(sample: Sample) -> Verdict:
    """Calls for the other network's version end with 503 at the caller's own proxy, which has
    no endpoint for them, and nothing of them crosses, neither TLS nor plain text."""
    return all_of(map(_left_alone, _watch_remote(sample)))


def _reached(watched: Watched) -> Verdict:
    crossed = _crossed(watched)
    expected = f"at least {_CALLS} segments from {watched.caller.cluster} to cross"
    outcome = Outcome.PASS if crossed >= _CALLS else Outcome.FAIL
    return all_of([succeeded(watched.responses), Verdict(outcome, expected, f"{crossed} segments")])


def _left_alone(watched: Watched) -> Verdict:
    caller = watched.caller
    version = watched.sample.remote_version(caller.cluster)
    refused = refused_with(watched.responses, status=503, flags="UH")
    known = endpoints(caller, outbound(HOST, PORT, version))
    expected = f"nothing to cross from {caller.cluster} for {version}, which has no endpoint there"
    crossed = _crossed(watched)
    observed = f"{crossed} segments crossed, and {len(known)} endpoints are known"
    evidence = {"counted": str(watched.counted), "endpoints": str(known)}
    outcome = Outcome.FAIL if crossed or known else Outcome.PASS
    return all_of([refused, Verdict(outcome, expected, observed, evidence)])


def _watch_remote(sample: Sample) -> list[Watched]:
    """Calls from each cluster for the other's version, watched."""

    def look(name: str) -> Watched:
        plan = Plan(times=_CALLS, headers={HEADER: sample.remote_version(name)})
        return watch(sample, sample.caller(name), plan)

    # Side by side: the callers' conversations are counted apart.
    return side_by_side(sample.mesh.shell, look, sample.clusters)


def _crossed(watched: Watched) -> int:
    """Segments to the other networks' gateways and pods, whatever they begin with."""
    sample, here = watched.sample, watched.caller.cluster
    others = [name for name in sample.clusters if name != here]
    gateways = [address for name in others if (address := sample.mesh.gateway(name))]
    return _segments(watched, gateways, GATEWAY_PORT) + _segments(
        watched, _pods(sample, here), PORT
    )


def _segments(watched: Watched, addresses: Sequence[IPv4Address], port: int) -> int:
    kinds = ("tls", "http", "dropped")
    return sum(watched.towards(address, port, kind) for address in addresses for kind in kinds)


def _pods(sample: Sample, here: str) -> list[IPv4Address]:
    servers = sample.servers().values()
    return [one.address for one in servers if one.cluster != here]
