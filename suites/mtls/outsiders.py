"""What is claimed of callers without a sidecar, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from meshproof.expect import Outcome, Verdict, all_of, refused_with, succeeded
from meshproof.expect.control import as_control
from meshproof.kube.workload import Workload
from meshproof.mesh.credentials import Credential, installed_authority, issue
from meshproof.mesh.gateways import gateway_workload
from meshproof.mesh.loggers import logging_at
from meshproof.model import Mtls
from meshproof.process import side_by_side
from meshproof.traffic.access_log import UNMATCHED, TurnedAway, log_from_now
from meshproof.traffic.calls import HELLO, Plan, call
from meshproof.traffic.response import Refused, Response
from meshproof.traffic.settle import mtls_mode
from meshproof.traffic.tls_question import NO_CERTIFICATE, TlsAnswer, ask
from meshproof.workloads.sample import CALLER_IDENTITY, PORT, SNI, Sample
from suites.mtls.ways import door

_TIMES = 3


@dataclass(frozen=True)
class Knock:
    """A call in plain text by a caller without a sidecar, and whose proxy it comes to."""

    outsider: Workload
    url: str
    called: Workload


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a proxy refuses a handshake: the alert that it sends, what its debug log says of it,
    and what a verdict says where it does not object."""

    alert: str
    logged: str
    otherwise: str


NOBODY = Objection(
    NO_CERTIFICATE, "PEER_DID_NOT_RETURN_A_CERTIFICATE", "no certificate was asked for"
)


def in_its_own_cluster(sample: Sample) -> list[Knock]:
    """Each outsider asks for helloworld by name: kube-proxy leads to its own cluster's pod."""
    servers = {one.cluster: one for one in sample.servers().values()}
    return [Knock(sample.outsider(name), HELLO, servers[name]) for name in sample.plan.values()]


def at_the_other_clusters_pod(sample: Sample) -> list[Knock]:
    """Each outsider dials the address of the other cluster's pod, on one network."""
    return [
        Knock(sample.outsider(name), f"http://{one.address}:{PORT}/hello", one)
        for name in sample.plan.values()
        for one in sample.servers().values()
        if one.cluster != name
    ]


def at_the_other_clusters_gateway(sample: Sample) -> list[Knock]:
    """Each outsider dials the other cluster's gateway, where sidecars do."""
    found = []
    for name in sample.plan.values():
        server = sample.server(sample.remote_version(name))
        address, port = door(sample, name, server)
        called = gateway_workload(sample.mesh, server.cluster)
        found.append(Knock(sample.outsider(name), f"http://{address}:{port}/hello", called))
    return found


def strict_alone_refuses(sample: Sample, knocks: Sequence[Knock]) -> Verdict:
    """Each call ends with a reset connection that the server's proxy owns up to, with the
    caller's address; with the same mesh permissive the same calls are answered."""
    verdicts = [verdict for one in knocks for verdict in _refused(sample, one)]
    with mtls_mode(sample, Mtls.PERMISSIVE):
        verdicts += [as_control(succeeded(_called(sample, one))) for one in knocks]
    return all_of(verdicts)


def plain_text_is_turned_away_at_the_gateway(sample: Sample, knocks: Sequence[Knock]) -> Verdict:
    """Each call ends with a reset connection that the gateway owns up to; whoever shows a
    certificate of the mesh is answered through the same address and port."""
    verdicts = [verdict for one in knocks for verdict in _refused(sample, one, rewritten=True)]
    shown = certificate_of_sleep(sample)
    for name in sample.plan.values():
        server = sample.server(sample.remote_version(name))
        verdicts.append(_welcomed(sample, sample.outsider(name), server, shown))
    return all_of(verdicts)


def everybody_is_answered(sample: Sample, knocks: Sequence[Knock]) -> Verdict:
    """Each call is answered, and the server is told of no certificate: it came in plain text."""
    responses = [response for one in knocks for response in _called(sample, one)]
    named = [one for one in responses if one.identity]
    expected = "the server to know nothing of who calls in plain text"
    outcome = Outcome.FAIL if named else Outcome.PASS
    observed = f"{named[0].identity} in call {named[0].id}" if named else "it knew nobody"
    return all_of([succeeded(responses), Verdict(outcome, expected, observed)])


def nobody_gets_in_without_a_certificate(sample: Sample, caller: str) -> Verdict:
    """TLS that a sidecar would speak, without a certificate, is refused by every helloworld pod
    itself for want of one; with a certificate of the mesh the same question is answered."""
    return nobody_gets_in_with(sample, caller, None, NOBODY)


def nobody_gets_in_with(
    sample: Sample, caller: str, shown: Credential | None, why: Objection
) -> Verdict:
    """TLS with the certificate ``shown`` is refused by every helloworld pod itself, for the
    reason ``why`` in its own log; with a certificate of the mesh the same question is answered."""
    outsider, servers = sample.outsider(caller), sample.every_server()
    with ExitStack() as stack:
        for server in servers:
            # By default no proxy says why TLS handshakes fail.
            stack.enter_context(logging_at(server, "connection", "debug"))
        act = partial(_objected_to, sample, outsider, shown, why)
        refused = side_by_side(sample.mesh.shell, act, servers)
    genuine = certificate_of_sleep(sample)
    return all_of([*refused, *(_welcomed(sample, outsider, one, genuine) for one in servers)])


def certificate_of_sleep(sample: Sample) -> Credential:
    """A certificate for sleep's identity, by the authority that signs the mesh's own."""
    signer = sample.mesh.deployment.topology.control_planes[0].name
    authority = installed_authority(sample.mesh.cluster(signer)).authority
    return issue(authority, CALLER_IDENTITY)


def _called(sample: Sample, knock: Knock) -> list[Response]:
    return call(sample, knock.outsider, Plan(knock.url, times=_TIMES, patience=5))


def _refused(sample: Sample, knock: Knock, *, rewritten: bool = False) -> list[Verdict]:
    """The kind of refusal, and the proxy's own account of it. ``rewritten``: the caller's
    address is another when it arrives, so that new lines are all there is to tell by."""
    log = log_from_now(knock.called)
    responses = _called(sample, knock)
    answered = [one for one in responses if one.status is not None]
    expected = f"{knock.outsider} to be refused at {knock.url}"
    if answered:
        observed = f"{len(answered)} calls in plain text were answered, such as: {answered[0]}"
        return [Verdict(Outcome.FAIL, expected, observed)]
    sources = {one.source for one in responses}

    def ours(lines: Sequence[TurnedAway]) -> list[str]:
        return [
            f"{one.source}: {one.why}"
            for one in lines
            if UNMATCHED in one.why and (rewritten or one.source in sources)
        ]

    lines = ours(log.turned_away(lambda seen: len(ours(seen)) >= len(responses)))
    enough = Outcome.PASS if len(lines) >= len(responses) else Outcome.INCONCLUSIVE
    observed = f"{len(lines)} lines in its log, such as {lines[:1]}"
    traced = f"{knock.called.name} to say that it turned {len(responses)} connections away"
    return [
        refused_with(responses, refusal=Refused.RESET),
        Verdict(enough, traced, observed, {"from": ", ".join(sorted(sources))}),
    ]


def _objected_to(
    sample: Sample, outsider: Workload, shown: Credential | None, why: Objection, server: Workload
) -> Verdict:
    """No answer, and the pod's own log says why. The alert need not arrive: when the question
    is under way already, the pod's system resets the connection, and the alert is lost."""
    log = log_from_now(server)
    answer = ask(outsider, *door(sample, outsider.cluster, server), SNI, credential=shown)
    expected = f"{server.name} to refuse {outsider} with '{why.alert}'"
    if answer.status is not None or answer.alert not in ("", why.alert):
        return Verdict(Outcome.FAIL, expected, f"{why.otherwise}: {answer}")

    def ours(lines: Sequence[TurnedAway]) -> list[TurnedAway]:
        return [one for one in lines if why.logged in one.why]

    # Who has shown no certificate speaks no TLS, and has nothing to say of it.
    within = 15.0 if answer.chain else 2.0
    lines = ours(log.turned_away(lambda lines: bool(ours(lines)), within))
    if not lines:
        outcome = Outcome.INCONCLUSIVE if answer.alert else Outcome.FAIL
        observed = f"{why.otherwise}: {answer}, and nothing of it in its own log"
        return Verdict(outcome, expected, observed)
    return Verdict(Outcome.PASS, expected, f"{answer}, and in its own log: {lines[0]}")


def _welcomed(sample: Sample, outsider: Workload, server: Workload, shown: Credential) -> Verdict:
    """The same question with a certificate is answered, and the server knows whose it is."""
    answer = ask(outsider, *door(sample, outsider.cluster, server), SNI, credential=shown)
    expected = f"{server.name} to answer {outsider} when it shows sleep's certificate"
    held = _answered_as(answer, server, CALLER_IDENTITY)
    outcome, evidence = Outcome.PASS if held else Outcome.FAIL, {"answer": answer.body}
    return as_control(Verdict(outcome, expected, str(answer), evidence))


def _answered_as(answer: TlsAnswer, server: Workload, identity: str) -> bool:
    known = f"URI={identity}" in answer.body and server.version in answer.body
    return answer.status == 200 and known
