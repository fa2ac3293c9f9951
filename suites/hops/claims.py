"""What is claimed of calls that go on from proxy to proxy.

A gateway gives a request that it takes an id of its own, so that calls are followed by what
arrives: the server shows the id by which the last proxy before it has the call in its log, and the
certificates that were seen on the way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    believable,
    calls_to_meet,
    refused_with,
    served_by_exactly,
    succeeded,
)
from meshproof.expect.denied import DENIED, FORBIDDEN
from meshproof.kube.workload import Workload
from meshproof.mesh.proxy import outbound
from meshproof.traffic.access_log import LogLine, arrivals
from meshproof.traffic.calls import HELLO, Plan, call, call_from_each
from meshproof.traffic.response import Response
from meshproof.traffic.upstream import upstream_of
from meshproof.workloads.sample import NAMESPACE, Sample
from suites.hops.proxies import Proxies, at
from suites.hops.ways import BEYOND, ENTRANCE, EXTERNAL, INGRESS, RELAY_HOST, WAY_PORT

_ID = "x-request-id"
_XFCC = "x-forwarded-client-cert"
_URI = re.compile(r"URI=([^;,\s\"]+)")
_URL = f"http://{INGRESS}.{NAMESPACE}:{WAY_PORT}/hello"
_FEW = 4


def in_and_on(sample: Sample, found: Proxies) -> Verdict:
    """Requests of a client without a sidecar come in by the ingress, go on to the relay, and from
    there to every version, each time by mutual TLS and once."""
    responses = _come_in(sample, found)
    relay = found.relay.cluster
    identities = [_identity(sample, found.ingress), _identity(sample, found.relay)]
    hosts = {
        version: upstream_of(sample, relay, version).hosts for version in sample.reached_from(relay)
    }
    return all_of(
        [
            succeeded(responses),
            served_by_exactly(responses, sample.reached_from(relay)),
            _seen(responses, identities),
            *(
                _passed_on(found, [one for one in responses if one.version == version], ways)
                for version, ways in hosts.items()
            ),
        ]
    )


def refused_for_the_relay(sample: Sample, found: Proxies) -> Verdict:
    """Requests that come in by the relay are refused, so many that each version got some, and those
    of sleep are answered by every version as before: who called a server last is who counts.

    That they come to every version where nobody is denied is for the test to see.
    """
    refused = refused_with(_come_in(sample, found), status=FORBIDDEN, detail=DENIED)
    batches = call_from_each(sample, Plan(HELLO, calls_to_meet(sample.smallest_share)))
    answered = (
        verdict
        for batch in batches
        for verdict in (
            succeeded(batch),
            believable(batch),
            served_by_exactly(batch, sample.reached_from(batch[0].caller)),
        )
    )
    return all_of([refused, *answered])


def _come_in(sample: Sample, found: Proxies) -> list[Response]:
    """Requests of a client without a sidecar to the ingress, so many that they meet every
    version."""
    plan = Plan(_URL, calls_to_meet(sample.smallest_share), {"host": ENTRANCE})
    return call(sample, sample.outsider(found.ingress.cluster), plan)


def out_by_the_relay(sample: Sample, found: Proxies) -> Verdict:
    """From each cluster, calls for the server outside the mesh go to the relay by mutual TLS, each
    side known to the other, and from there to the server."""
    batches = call_from_each(sample, Plan(HELLO, _FEW, {"host": BEYOND}, patience=5.0))
    peer = _identity(sample, found.relay)
    return all_of(
        verdict
        for batch in batches
        for verdict in (
            _sent_to_the_relay(batch, peer),
            succeeded(batch),
            _answered_outside(batch),
            _passed_on(found, batch, {at(found.external)}, sample.caller_identity(batch[0].caller)),
        )
    )


def _identity(sample: Sample, gateway: Workload) -> str:
    return sample.topology[gateway.cluster].mesh.identity(NAMESPACE, gateway.account)


def _seen(responses: Sequence[Response], identities: Sequence[str]) -> Verdict:
    """Whether the servers were told of these clients' certificates, in the order of the way."""
    expected = f"certificates of {' and '.join(identities)} on the way"
    answered = [one for one in responses if one.succeeded]
    other = [one for one in answered if _URI.findall(one.shown(_XFCC)) != list(identities)]
    if other:
        seen = " and ".join(_URI.findall(other[0].shown(_XFCC))) or "nobody"
        return Verdict(Outcome.FAIL, expected, f"{len(other)} calls came by {seen}")
    if not answered:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no call was answered")
    return Verdict(Outcome.PASS, expected, f"all {len(answered)}")


def _passed_on(
    found: Proxies, responses: Sequence[Response], hosts: set[str], peer: str = ""
) -> Verdict:
    """Whether the relay has passed each call on, once, to one of these. ``peer``: to whom it
    listened."""
    expected = f"the relay to pass {len(responses)} calls on to {' or '.join(sorted(hosts))}, once"
    ids = {one.shown(_ID): 1 for one in responses if one.shown(_ID)}
    lines = arrivals([found.relay], ids)
    logged = [line for entries in lines.values() for _, line in entries]
    wrong = [line for line in logged if not _right(line, hosts, peer)]
    if wrong:
        line = wrong[0]
        told = (
            f"{line.upstream_host or 'nobody'} for {line.peer or 'nobody'}, {line.attempts} times"
        )
        return Verdict(Outcome.FAIL, expected, f"{len(wrong)} otherwise, such as to {told}")
    if len(logged) > len(ids):
        return Verdict(Outcome.FAIL, expected, f"{len(logged)} lines for {len(ids)} calls: a retry")
    if len(logged) < len(responses) or not responses:
        observed = f"{len(logged)} of {len(responses)} calls are in the relay's log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, f"all {len(logged)}")


def _right(line: LogLine, hosts: set[str], peer: str) -> bool:
    return line.upstream_host in hosts and line.attempts == 1 and (not peer or line.peer == peer)


def _sent_to_the_relay(responses: Sequence[Response], peer: str) -> Verdict:
    """Whether each call was sent to the relay, once, and its certificate seen."""
    cluster = outbound(RELAY_HOST, WAY_PORT)
    expected = f"{len(responses)} calls from {responses[0].caller} to go to {cluster}, once"
    logs = [one.log for one in responses if one.log is not None]
    other = [log for log in logs if (log.upstream_cluster, log.upstream_peer) != (cluster, peer)]
    if other:
        log = other[0]
        where = f"{log.upstream_cluster or 'nowhere'} ({log.upstream_peer or 'nobody'})"
        return Verdict(Outcome.FAIL, expected, f"{len(other)} went to {where}")
    again = [log for log in logs if log.attempts != 1]
    if again:
        return Verdict(Outcome.FAIL, expected, f"one was sent {again[0].attempts} times")
    if len(logs) < len(responses):
        observed = f"{len(responses) - len(logs)} have no line in the caller's access log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, f"all {len(logs)}")


def _answered_outside(responses: Sequence[Response]) -> Verdict:
    other = [one.version or "nobody" for one in responses if one.version != EXTERNAL]
    expected = f"{len(responses)} calls to be answered outside the mesh"
    if other:
        return Verdict(Outcome.FAIL, expected, f"{len(other)} were answered by {other[0]}")
    return Verdict(Outcome.PASS, expected, "all of them")
