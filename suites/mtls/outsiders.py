"""What is claimed of callers without a sidecar, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meshproof.expect import Outcome, Verdict, all_of, refused_with, succeeded
from meshproof.expect.control import as_control
from meshproof.expect.handshake import answered_as, objected_to
from meshproof.kube.workload import PodWorkload
from meshproof.mesh.config_dump import inbound_ports
from meshproof.mesh.gateways import gateway_workload
from meshproof.model import Mtls
from meshproof.traffic.access_log import UNMATCHED, TurnedAway, log_from_now, turned_away_by
from meshproof.traffic.calls import HELLO, Plan, call
from meshproof.traffic.handshake import (
    Objection,
    certificate_of_sleep,
    refused_handshakes,
    shake_hands,
)
from meshproof.traffic.response import Refused, Response
from meshproof.traffic.settle import mtls_mode
from meshproof.traffic.tls_question import NO_CERTIFICATE
from meshproof.workloads.sample import GRPC_PORT, PORT, Behind, Sample

_TIMES = 3


@dataclass(frozen=True)
class PlainCall:
    """A call in plain text by a caller without a sidecar, and to one of whose proxies it comes.
    ``ends``: how the caller is told that its connection was reset."""

    outsider: PodWorkload
    url: str
    called: tuple[PodWorkload, ...]
    ends: Refused = Refused.RESET


NOBODY = Objection(
    NO_CERTIFICATE, "PEER_DID_NOT_RETURN_A_CERTIFICATE", "no certificate was asked for"
)


def in_its_own_cluster(sample: Sample) -> list[PlainCall]:
    """Each outsider asks for helloworld by name: kube-proxy leads to its own cluster's pods."""
    servers = sample.every_server()
    return [
        PlainCall(
            sample.outsider(name), HELLO, tuple(one for one in servers if one.cluster == name)
        )
        for name in sample.homes
    ]


def at_other_clusters_pods(sample: Sample) -> list[PlainCall]:
    """Each outsider dials the addresses of other clusters' pods, on its own network."""
    return [
        PlainCall(sample.outsider(caller), f"http://{one.address}:{PORT}/hello", (one,))
        for caller, version in sample.pairs(same_network=True)
        for one in sample.every_server()
        if one.version == version
    ]


def at_other_networks_gateways(sample: Sample) -> list[PlainCall]:
    """Each outsider dials the gateways of other networks, where sidecars do."""
    found = []
    for caller in sample.clusters:
        there = {
            sample.versions[one] for who, one in sample.pairs(same_network=False) if who == caller
        }
        ways = {name: way for one in there for name, way in sample.mesh.ways_to(one).items()}
        found += [
            PlainCall(
                sample.outsider(caller),
                f"http://{way}/hello",
                (gateway_workload(sample.mesh, name),),
            )
            for name, way in sorted(ways.items())
        ]
    return found


def at_an_undeclared_port(sample: Sample) -> list[PlainCall]:
    """Each outsider dials its own cluster's pods where they answer by gRPC."""
    return [
        PlainCall(
            sample.outsider(one.cluster),
            f"grpc://{one.address}:{GRPC_PORT}",
            (one,),
            Refused.STATUS,
        )
        for one in sample.every_server()
    ]


def no_service_names_the_port(sample: Sample) -> Verdict:
    """The control: proxies know of no Service before the port at which their pods answer by gRPC,
    and so what comes there meets the rules for undeclared ports."""
    known = {str(one): inbound_ports(one) for one in sample.every_server()}
    naming = sorted(name for name, ports in known.items() if GRPC_PORT in ports)
    silent = sorted(name for name, ports in known.items() if PORT not in ports)
    expected = f"no Service to name port {GRPC_PORT} of {', '.join(known)}"
    observed = f"one does at {', '.join(naming)}" if naming else "none does"
    if silent:
        observed = f"{', '.join(silent)} has no chain for {PORT} either"
    outcome = Outcome.FAIL if naming or silent else Outcome.PASS
    return as_control(Verdict(outcome, expected, observed))


def turned_away(sample: Sample, calls: Sequence[PlainCall]) -> Verdict:
    """Each call ends with a reset connection that the server's proxy owns up to, with the caller's
    address."""
    return all_of(verdict for one in calls for verdict in _refused(sample, one))


def strict_alone_refuses(sample: Sample, calls: Sequence[PlainCall]) -> Verdict:
    """The calls are turned away; with the same mesh permissive the same calls are answered."""
    verdicts = [turned_away(sample, calls)]
    with mtls_mode(sample, Mtls.PERMISSIVE):
        verdicts += [as_control(succeeded(_called(sample, one))) for one in calls]
    return all_of(verdicts)


def plain_text_is_turned_away_at_the_gateway(sample: Sample, calls: Sequence[PlainCall]) -> Verdict:
    """Each call ends with a reset connection that the gateway owns up to; whoever shows a
    certificate of the mesh is answered through the same address and port."""
    verdicts = [verdict for one in calls for verdict in _refused(sample, one, rewritten=True)]
    for name in sample.clusters:
        near = sample.topology.same_network
        far = [one for one in sample.behind(name) if not near(name, one.clusters[0])]
        verdicts += _welcomed(sample, name, far)
    return all_of(verdicts)


def everybody_is_answered(sample: Sample, calls: Sequence[PlainCall]) -> Verdict:
    """Each call is answered, and the server is told of no certificate: it came in plain text."""
    responses = [response for one in calls for response in _called(sample, one)]
    named = [one for one in responses if one.identity]
    expected = "the server to know nothing of who calls in plain text"
    outcome = Outcome.FAIL if named else Outcome.PASS
    observed = f"{named[0].identity} in call {named[0].id}" if named else "it knew nobody"
    return all_of([succeeded(responses), Verdict(outcome, expected, observed)])


def nobody_gets_in_without_a_certificate(sample: Sample, caller: str) -> Verdict:
    """TLS that a sidecar would speak, without a certificate, is refused by helloworld's pods
    themselves for want of one; with a certificate of the mesh the same question is answered."""
    refused = refused_handshakes(sample, caller, None, NOBODY)
    welcome = _welcomed(sample, caller, sample.behind(caller))
    return all_of([*(objected_to(one, NOBODY) for one in refused), *welcome])


def _called(sample: Sample, plain: PlainCall) -> list[Response]:
    # By one connection gRPC would make one call, and know what to expect of the others.
    by_grpc = plain.ends is Refused.STATUS
    plan = Plan(plain.url, times=_TIMES, fresh=by_grpc)
    return call(sample, plain.outsider, plan)


def _refused(sample: Sample, plain: PlainCall, *, rewritten: bool = False) -> list[Verdict]:
    """The kind of refusal, and the proxy's own account of it. ``rewritten``: the caller's
    address is another when it arrives, so that new lines are all there is to tell by."""
    logs = [log_from_now(one) for one in plain.called]
    responses = _called(sample, plain)
    answered = [one for one in responses if one.status is not None]
    expected = f"{plain.outsider} to be refused at {plain.url}"
    if answered:
        observed = f"{len(answered)} calls in plain text were answered, such as: {answered[0]}"
        return [Verdict(Outcome.FAIL, expected, observed)]
    # Not by its port: the kernel gives a connection another one where its own is taken there.
    own = str(plain.outsider.address)

    def ours(lines: Sequence[TurnedAway]) -> list[str]:
        return [
            f"{one.source}: {one.why}"
            for one in lines
            if UNMATCHED in one.why and (rewritten or one.address == own)
        ]

    lines = ours(turned_away_by(logs, lambda seen: len(ours(seen)) >= len(responses)))
    enough = Outcome.PASS if len(lines) >= len(responses) else Outcome.INCONCLUSIVE
    observed = f"{len(lines)} lines in its log, such as {lines[:1]}"
    names = " or ".join(one.name for one in plain.called)
    traced = f"{names} to say that it turned {len(responses)} connections away"
    return [
        refused_with(responses, refusal=plain.ends),
        Verdict(enough, traced, observed, {"from": own}),
    ]


def _welcomed(sample: Sample, caller: str, behind: Sequence[Behind]) -> list[Verdict]:
    """The same question with a certificate is answered, and the server knows whose it is."""
    genuine, identity = certificate_of_sleep(sample, caller), sample.caller_identity(caller)
    tried = [shake_hands(sample, caller, one, genuine) for one in behind]
    return [as_control(answered_as(one, identity)) for one in tried]
