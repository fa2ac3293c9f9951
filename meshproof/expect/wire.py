"""Judges the wire between sidecars: all of it TLS, or all of it plain text, on every hop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address

from meshproof.expect.calls import believable, served_by_exactly, succeeded
from meshproof.expect.verdict import Outcome, Verdict, all_of
from meshproof.lab.network.counters import FlowKey, passes
from meshproof.mesh.mesh import Way
from meshproof.traffic.settle import reachable
from meshproof.traffic.wire import Watched
from meshproof.workloads.sample import PORT


def all_tls(watched: Watched) -> Verdict:
    """PASS when every call, by a sidecar to helloworld, was TLS on the wire on every hop, no
    connection beside them was plain text, and both sides showed who they are. That the witness
    would see plain text is for a control beside it."""
    return all_of(
        [
            believable(watched.responses),
            _nothing_of(watched, "plain"),
            succeeded(watched.responses),
            _everywhere(watched),
            *(_carried(watched, one, "tls", answers) for one, answers in used(watched).items()),
            *_every_last_hop(watched, "tls"),
            _certified(watched),
        ]
    )


def all_plain(watched: Watched) -> Verdict:
    """PASS when every call was plain text on the wire, nothing was TLS, and nobody showed a
    certificate. That the witness would see TLS is for a control beside it."""
    return all_of(
        [
            believable(watched.responses),
            _nothing_of(watched, "tls"),
            succeeded(watched.responses),
            _everywhere(watched),
            *(_carried(watched, one, "http", answers) for one, answers in used(watched).items()),
            *_every_last_hop(watched, "http"),
            _anonymous(watched),
        ]
    )


def _everywhere(watched: Watched) -> Verdict:
    """All versions answered: a way that nobody took was not witnessed."""
    due = reachable(watched.sample, watched.caller.cluster)
    return served_by_exactly(watched.responses, due)


def used(watched: Watched) -> dict[Way, int]:
    """The addresses and ports that calls went to, by the caller's log, with their answers."""
    lines = [one.log for one in watched.responses if one.log and one.log.upstream_host]
    hosts = Counter((line.upstream_address, line.upstream_port) for line in lines)
    return {Way(IPv4Address(address), port): count for (address, port), count in hosts.items()}


def _carried(watched: Watched, way: Way, kind: str, answers: int) -> Verdict:
    """Each request is at least one segment of its kind, from the caller to where it went."""
    seen = watched.towards(way.address, way.port, kind)
    expected = f"at least {answers} segments of '{kind}' from {watched.caller} to "
    outcome = Outcome.PASS if seen >= answers else Outcome.FAIL
    observed = f"{seen} segments of '{kind}', {_others(watched, way, kind)}"
    return Verdict(outcome, f"{expected}{way}", observed)


def _others(watched: Watched, way: Way, kind: str) -> str:
    other = "http" if kind == "tls" else "tls"
    name = "plain text" if other == "http" else "TLS"
    return f"and {watched.towards(way.address, way.port, other)} of {name}"


def _every_last_hop(watched: Watched, kind: str) -> Iterator[Verdict]:
    """What arrived at each pod, from whomever: across networks, from its gateway."""
    answers = Counter(one.pod for one in watched.responses if one.succeeded)
    for pod, server in watched.sample.servers().items():
        seen = watched.arrived(server, PORT, kind)
        expected = f"at least {answers[pod]} segments of '{kind}' to arrive at {pod}"
        outcome = Outcome.PASS if seen >= answers[pod] else Outcome.FAIL
        yield Verdict(outcome, expected, f"{seen} segments of '{kind}'")


def _nothing_of(watched: Watched, kind: str) -> Verdict:
    """Not one segment of ``kind`` to a helloworld pod or gateway, nor from one of the pods."""
    name = "plain text" if kind == "plain" else "TLS"
    sample, caller = watched.sample, watched.caller
    pods = {(one.address, one.cluster) for one in sample.servers().values()}
    gateways = {way for one in sample.clusters for way in sample.mesh.ways_to(one).values()}

    def belongs(place: str, flow: FlowKey) -> bool:
        # The same address may be another cluster's pod elsewhere.
        theirs = {address for address, cluster in pods if passes(place, cluster)}
        to = flow.target in theirs and flow.port == PORT
        through = Way(flow.target, flow.port) in gateways
        return to or through or (flow.source in theirs and flow.target == caller.address)

    found = {
        f"{flow.source} to {flow.target}:{flow.port}, seen in {place}": count
        for (place, k, flow), count in watched.counted.flows.items()
        if k == kind and count and belongs(place, flow)
    }
    expected = f"no {name} between {watched.caller} and helloworld"
    if not found:
        return Verdict(Outcome.PASS, expected, f"no {name}", {"counted": str(watched.counted)})
    observed = f"{name} on the wire: {found}"
    return Verdict(Outcome.FAIL, expected, observed, {"counted": str(watched.counted)})


def _certified(watched: Watched) -> Verdict:
    """Both proxies saw the other's certificate: the TLS is mutual. A call without its line in the
    caller's log is for ``believable`` to judge."""
    one_sided = [
        one
        for one in watched.responses
        if not (one.identity and one.served_as)
        or (one.log is not None and not one.log.upstream_peer)
    ]
    expected = f"both sides to show a certificate in {len(watched.responses)} calls"
    if one_sided:
        one = one_sided[0]
        server = one.log.upstream_peer if one.log else ""
        observed = (
            f"{len(one_sided)} calls without, such as {one.id}: the client is "
            f"{one.identity or 'nobody'}, the server {server or 'nobody'}"
        )
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, "both did in all of them")


def _anonymous(watched: Watched) -> Verdict:
    """No proxy saw a certificate, and the server was told of none."""
    header = "x-forwarded-client-cert"
    named = [
        one
        for one in watched.responses
        if one.identity or header in one.body or (one.log and one.log.upstream_peer)
    ]
    expected = f"no certificate to be shown in {len(watched.responses)} calls"
    if named:
        one = named[0]
        observed = f"TLS in {len(named)} calls, such as {one.id}: the client is {one.identity}"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, "none was")
