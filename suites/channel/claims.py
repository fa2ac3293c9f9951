"""What is claimed of the channel between istiod and its proxies, for sabotage as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from ipaddress import IPv4Address

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.control import as_control
from meshproof.kube.seam import lab_errors
from meshproof.mesh.credentials import Credential, installed_authority
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Way
from meshproof.mesh.routes import marking, virtual_service
from meshproof.model import Role
from meshproof.traffic.handshake import certificate_of_sleep
from meshproof.traffic.probe import PATIENT, Target, probe
from meshproof.traffic.routing import in_force
from meshproof.traffic.tls_question import TlsAnswer, ask, signed
from meshproof.workloads.sample import HOST, Sample

PORT, PLAIN_PORT = 15012, 15010
_SNI, _ALPN = f"istiod.{SYSTEM}.svc", "h2"
# What Go's TLS says of a client's certificate that it cannot trace to a root: RFC 8446, 6.2.
_DISTRUST = ("bad certificate", "unknown ca")


def istiod_of(sample: Sample, cluster: str) -> Way:
    """Where proxies of a cluster reach their istiod. Raises LabError when there is none."""
    plan, member = sample.mesh.blueprint, sample.topology[cluster]
    if member.role is Role.REMOTE:
        return Way(plan.istiods[cluster], PORT)
    running, name = sample.mesh.cluster(cluster), plan.revised("istiod")
    with lab_errors(f"read service {name} of {cluster}"):
        service = running.core.read_namespaced_service(name, SYSTEM)
    return Way(IPv4Address(service.spec.cluster_ip), PORT)


def only_the_mesh_gets_in(
    sample: Sample, cluster: str, istiod: Way, foreign: Credential
) -> Verdict:
    """istiod shows a certificate of the mesh; it has nothing to say to plain text, and refuses a
    client whose certificate another root stands behind; one of the mesh it does not refuse."""
    outsider = sample.outsider(cluster)
    target = Target("istiod", istiod.address, istiod.port)
    plain = probe(outsider, target, PATIENT)
    refused = ask(outsider, istiod.address, istiod.port, _SNI, alpn=_ALPN, credential=foreign)
    own = certificate_of_sleep(sample, cluster)
    genuine = ask(outsider, istiod.address, istiod.port, _SNI, alpn=_ALPN, credential=own)
    silent = Verdict(
        Outcome.PASS if plain.refusal else Outcome.FAIL,
        f"istiod at {istiod} to say nothing to plain text",
        f"{plain} to plain text",
    )
    return all_of(
        [
            silent,
            _shown(sample, cluster, istiod, genuine),
            _distrusted(istiod, refused),
            _welcome(istiod, genuine),
        ]
    )


def proxies_speak_tls(
    sample: Sample, cluster: str, istiod: Way, meanwhile: Callable[[], object] = lambda: None
) -> Verdict:
    """When sleep's proxy is told of a rule, the wire sees TLS to istiod, and no plain text; the
    same witness does see the plain text of a caller without a sidecar on that way.

    ``meanwhile``: what else is done while the wire is watched.
    """
    caller = sample.caller(cluster)
    before = sample.mesh.lab.counters()
    route = {"route": [{"destination": {"host": HOST}}]}
    rule = virtual_service(HOST, [marking(route, {"x-told": "yes"})])
    with in_force(sample, [rule]) as missing:
        meanwhile()
        counted = sample.mesh.lab.counters() - before
    seen = Counter[str]()
    for (_, kind, flow), segments in counted.flows.items():
        asked = flow.port in (PORT, PLAIN_PORT) and kind in ("tls", "plain")
        if asked and flow.source in (caller.address, caller.node.address):
            seen[f"{kind} to {flow.port}"] += segments
    tls = seen[f"tls to {PORT}"]
    plain = sum(seen.values()) - tls
    expected = f"{caller} to be told by TLS to port {PORT}, and by nothing else"
    observed = f"{tls} segments of TLS and {plain} of other kinds from {cluster} to istiod"
    outcome = Outcome.PASS if tls and not plain else Outcome.FAIL
    if missing and not plain:
        outcome, observed = Outcome.INCONCLUSIVE, f"nobody was told: {', '.join(missing)}"
    told = Verdict(outcome, expected, observed, {"counted": str(counted)})
    return all_of([told, _sees_plain_text(sample, cluster, istiod)])


def _sees_plain_text(sample: Sample, cluster: str, istiod: Way) -> Verdict:
    """The witness sees the plain text of a caller without a sidecar, answered or not."""
    outsider, before = sample.outsider(cluster), sample.mesh.lab.counters()
    probe(outsider, Target("istiod", istiod.address, istiod.port), PATIENT)
    counted = sample.mesh.lab.counters() - before
    seen = sum(
        segments
        for (_, kind, flow), segments in counted.flows.items()
        if (kind, flow.port) == ("plain", PORT)
    )
    expected = f"the witness to see plain text from {outsider} to {istiod}"
    outcome = Outcome.PASS if seen else Outcome.FAIL
    return as_control(Verdict(outcome, expected, f"{seen} segments of plain text"))


def _shown(sample: Sample, cluster: str, istiod: Way, answer: TlsAnswer) -> Verdict:
    primary = sample.topology[cluster].primary
    authority = installed_authority(sample.mesh.cluster(primary)).authority
    expected = f"istiod at {istiod} to show a certificate by '{authority.name}'"
    if not answer.chain:
        return Verdict(Outcome.FAIL, expected, f"no certificate was shown: {answer}")
    issuer = answer.chain[0].issuer.rfc4514_string()
    right = signed(answer.chain[0], authority.certificate)
    outcome = Outcome.PASS if right else Outcome.FAIL
    return Verdict(outcome, expected, f"one by {issuer}")


def _distrusted(istiod: Way, answer: TlsAnswer) -> Verdict:
    expected = f"istiod at {istiod} to refuse a client of another root"
    if answer.alert in _DISTRUST:
        return Verdict(Outcome.PASS, expected, str(answer))
    if not answer.chain:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"nobody answered: {answer}")
    return Verdict(Outcome.FAIL, expected, f"it was not refused: {answer}")


def _welcome(istiod: Way, answer: TlsAnswer) -> Verdict:
    expected = f"istiod at {istiod} to take a client of the mesh"
    outcome = Outcome.FAIL if answer.alert or not answer.chain else Outcome.PASS
    return as_control(Verdict(outcome, expected, str(answer)))
