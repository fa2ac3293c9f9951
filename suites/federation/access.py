"""Who is let in to what a mesh exposes: SNI alone lets everybody in who reaches the gateway, so the
workloads themselves tell callers apart, by trust domain, certificate and policy."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.artifacts.images import PROBE
from meshproof.expect import Outcome, Verdict, all_of, refused_with, went_through
from meshproof.expect.control import with_control
from meshproof.expect.denied import DENIED, FORBIDDEN
from meshproof.kube.asking import Asker
from meshproof.lab.outside import OutsideClient
from meshproof.mesh.credentials import Credential
from meshproof.mesh.exposure import ways_of
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.mesh import Way
from meshproof.model import Exposure
from meshproof.traffic.access_log import entries_of_all
from meshproof.traffic.calls import HELLO, Plan, call
from meshproof.traffic.handshake import certificate_for, certificate_of_sleep
from meshproof.traffic.response import Response
from meshproof.traffic.tls_question import TlsAnswer, ask
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.exposed import exposed_versions, hosts_of
from meshproof.workloads.sample import NAMESPACE, OUTSIDE, PORT, SLEEP, Sample
from suites.federation.claims import answered_by_the_provider, calls_by_global_name

_CALLS, _WELL = 20, 200
_OTHERS = (OUTSIDE, f"{NAMESPACE}-beside", f"beside-{NAMESPACE}")
"""Namespaces that no policy names, two of which have the name of one that is in theirs."""


def one_consumer_is_let_in(
    sample: Sample, let_in: str, imported: Exposure, refused: str, app: str = SLEEP
) -> Verdict:
    """Of two accounts of consumers the one that a policy names is answered, and the other is
    refused by the servers, which log who it is: by the same name, gateway and SNI.

    ``let_in``: the consumer whose account is named; ``refused``: the other's, which may be the
    same; ``app``: by which sleep that one calls.
    """
    answered = calls_by_global_name(sample, let_in, imported)
    responses = calls_by_header(sample, refused, imported, app)
    identity = sample.topology[refused].mesh.identity(NAMESPACE, app)
    return all_of(
        [
            answered_by_the_provider(sample, imported, answered),
            refused_with(responses, status=FORBIDDEN, detail=DENIED),
            went_through(responses, hosts_of(sample, imported), _gateway(imported)),
            _refused_by_servers(sample, imported, responses, identity),
        ]
    )


def alike_is_let_in(sample: Sample, named: str, imported: Exposure, other: str) -> Verdict:
    """A policy for one consumer's account lets in another's of the same name and namespace too,
    whose trust domain is an alias; another account of that consumer's it does not: the control.

    Rule: https://istio.io/latest/docs/tasks/security/authorization/authz-td-migration/.
    """
    responses = calls_by_global_name(sample, other, imported)
    control = one_consumer_is_let_in(sample, named, imported, other)
    return with_control(answered_by_the_provider(sample, imported, responses), control)


def calls_by_header(sample: Sample, importer: str, imported: Exposure, app: str) -> list[Response]:
    """Calls for the global name by a sleep that need not know it: a proxy goes by what a request
    says it is for."""
    plan = Plan(HELLO, times=_CALLS, headers={"host": imported.host})
    return call(sample, sample.caller(importer, app), plan)


def one_namespace_is_let_in(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """Of a consumer's accounts those of the namespace that a policy names are answered, and those
    of others are refused by the servers: their certificates are of the same authority, and are
    shown at the same gateways for the same SNI."""
    calls = calls_by_global_name(sample, importer, imported)
    return all_of(
        [
            *(
                _lets_in_a_namespace(sample, importer, imported, way)
                for way in ways_of(sample.mesh, imported)
            ),
            answered_by_the_provider(sample, imported, calls),
        ]
    )


def _lets_in_a_namespace(sample: Sample, importer: str, imported: Exposure, way: Way) -> Verdict:
    sni = sni_of(imported.host, PORT)
    client, mesh = sample.outsider(importer), sample.topology[importer].mesh

    def shown(namespace: str) -> TlsAnswer:
        shown = certificate_for(sample, importer, mesh.identity(namespace, DNS_SLEEP))
        return ask(client, way.address, way.port, sni, credential=shown)

    answers = {one: shown(one) for one in _OTHERS}
    usual = shown(NAMESPACE)
    expected = f"{imported.host} at {way} to refuse accounts of {', '.join(_OTHERS)} of {importer}"
    refused = [one.status == FORBIDDEN and DENIED in one.body for one in answers.values()]
    # What got neither answer, as by a connection that broke, says nothing of who is let in.
    let_in = any(one.status == _WELL for one in answers.values())
    outcome = Outcome.FAIL if let_in else Outcome.PASS if all(refused) else Outcome.INCONCLUSIVE
    told = [f"{one}: {answer}" for one, answer in answers.items()]
    control = Verdict(
        Outcome.PASS if usual.status == _WELL else Outcome.FAIL,
        f"an account of {NAMESPACE} to be answered",
        str(usual),
    )
    return with_control(Verdict(outcome, expected, "; ".join(told)), control)


def unchosen_mesh_is_refused(
    sample: Sample, stranger: str, imported: Exposure, importer: str
) -> Verdict:
    """A mesh to which a service is not exposed, but which knows the gateway and the name, is
    answered no call: its calls come to the gateway, and the workload refuses who they are of. The
    mesh that it is exposed to is answered meanwhile."""
    responses = calls_by_global_name(sample, stranger, imported)
    answered = [one for one in responses if one.succeeded or one.version]
    expected = f"no call from {stranger} to {imported.host} to be answered"
    examples = [str(one) for one in answered or responses][:1]
    observed = f"{len(answered)} of {len(responses)} were, such as {examples}"
    outcome = Outcome.FAIL if answered else Outcome.PASS
    claim = all_of(
        [
            Verdict(outcome, expected, observed),
            went_through(responses, hosts_of(sample, imported), _gateway(imported)),
        ]
    )
    chosen = calls_by_global_name(sample, importer, imported)
    return with_control(claim, answered_by_the_provider(sample, imported, chosen))


def client_outside(sample: Sample) -> OutsideClient:
    """A client on all of the lab's networks that is in none of its clusters."""
    return OutsideClient(sample.mesh.lab, sample.mesh.bundle.ours / PROBE)


def nobody_outside_is_let_in(
    sample: Sample, importer: str, imported: Exposure, client: Asker, shown: Credential
) -> Verdict:
    """A client outside all clusters that knows gateway, name and encoding is answered neither
    without a certificate nor with the one that is ``shown``; with a consumer's it is. So it is at
    each of the provider's gateways."""
    ways = ways_of(sample.mesh, imported)
    return all_of(_let_in_at(sample, importer, imported, client, shown, way) for way in ways)


def _let_in_at(
    sample: Sample,
    importer: str,
    imported: Exposure,
    client: Asker,
    shown: Credential,
    way: Way,
) -> Verdict:
    sni = sni_of(imported.host, PORT)

    def dial(one: Credential | None) -> TlsAnswer:
        return ask(client, way.address, way.port, sni, credential=one)

    asked = {"without a certificate": None, "with the certificate of another root": shown}
    answers = {what: dial(one) for what, one in asked.items()}
    expected = f"{client} to be answered nothing through {way}"
    let_in = [f"{what}: {one}" for what, one in answers.items() if one.status is not None]
    told = let_in or [f"{what}: {one}" for what, one in answers.items()]
    claim = Verdict(Outcome.FAIL if let_in else Outcome.PASS, expected, "; ".join(told))
    usual = dial(certificate_of_sleep(sample, importer))
    control = Verdict(
        Outcome.PASS if usual.status == _WELL else Outcome.FAIL,
        f"{client} to be answered with a consumer's certificate",
        str(usual),
    )
    return with_control(claim, control)


def _gateway(imported: Exposure) -> str:
    return f"the gateway of {imported.provider}"


def _refused_by_servers(
    sample: Sample, imported: Exposure, responses: Sequence[Response], identity: str
) -> Verdict:
    """Whether the provider's servers logged each of these requests as refused, and whose it was."""
    homes = exposed_versions(sample, imported)
    servers = [one for one in sample.servers().values() if one.version in homes]
    lines = entries_of_all(servers, [one.id for one in responses])
    expected = f"the servers to log {FORBIDDEN} for {len(responses)} requests of {identity}"
    wrong = [one for one in lines.values() if (one.status, one.peer) != (FORBIDDEN, identity)]
    if wrong:
        observed = f"{len(wrong)} with {wrong[0].status} for {wrong[0].peer or 'nobody'}"
        return Verdict(Outcome.FAIL, expected, observed)
    if not responses or len(lines) < len(responses):
        observed = f"{len(responses) - len(lines)} of {len(responses)} in no server's log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, f"all {len(lines)}")
