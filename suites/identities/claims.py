"""What is claimed of peers' identities, so that sabotage can claim the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from meshproof.expect import Outcome, Verdict, all_of, believable, served_by_exactly, succeeded
from meshproof.expect.control import as_control
from meshproof.kube.workload import Workload, node_probe
from meshproof.mesh.credentials import Credential, Installed, installed_authority
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.settle import reachable
from meshproof.traffic.tls_question import UNKNOWN_AUTHORITY, ask, distrusted, signed, uris
from meshproof.workloads.sample import CALLER_IDENTITY, PORT, SNI, WORKLOAD_IDENTITY, Sample
from suites.mtls.outsiders import Objection, nobody_gets_in_with
from suites.mtls.ways import door

_CALLS = 40
STRANGER = Objection(UNKNOWN_AUTHORITY, "CERTIFICATE_VERIFY_FAILED", "it was not refused")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who should hold a certificate: where it is asked for, from the node of ``asked_from``."""

    what: str
    cluster: str
    asked_from: str
    address: IPv4Address
    port: int
    identity: str


def peers_know_each_other(sample: Sample, caller: Workload) -> Verdict:
    """In calls to both clusters the server is told of sleep's identity, and the caller's proxy
    of helloworld's."""
    responses = call(sample, caller, Plan(times=_CALLS))
    versions = {one: sample.plan[one] for one in reachable(sample, caller.cluster)}
    # A call without its line in the caller's log is for ``believable`` to judge.
    seen = Counter(
        (one.identity, one.served_as, one.log.upstream_peer) for one in responses if one.log
    )
    right = (CALLER_IDENTITY, WORKLOAD_IDENTITY, WORKLOAD_IDENTITY)
    wrong = {names: count for names, count in seen.items() if names != right}
    sides = f"the client to be {CALLER_IDENTITY} and the server {WORKLOAD_IDENTITY}"
    expected = f"{sides} in {len(responses)} calls"
    observed = "; ".join(
        f"{count} with client {client}, server {server}, in the caller's log {logged or None}"
        for (client, server, logged), count in (wrong or seen).items()
    )
    names = Verdict(Outcome.FAIL if wrong else Outcome.PASS, expected, observed)
    served = served_by_exactly(responses, versions)
    return all_of([believable(responses), succeeded(responses), names, served])


def workloads(sample: Sample) -> list[Holder]:
    """sleep and helloworld in each cluster; helloworld also by the way from the other cluster."""
    topology = sample.mesh.deployment.topology
    found = []
    for name in topology.workloads:
        address = sample.caller(name).address
        # Any port will do: the proxy shows its certificate before it looks for a server there.
        found.append(Holder(f"sleep of {name}", name, name, address, PORT, CALLER_IDENTITY))
    for server in sample.every_server():
        for name in topology.workloads:
            way = door(sample, name, server)
            what = f"{server.version} of {server.cluster}, asked from {name}"
            found.append(Holder(what, server.cluster, name, *way, WORKLOAD_IDENTITY))
    return found


def signed_by_the_primarys_authority(sample: Sample, holders: Sequence[Holder]) -> Verdict:
    """Each workload shows a certificate of its identity that the authority of its primary
    signed, and that leads up to the mesh's root; even where its cluster has ``cacerts`` of its
    own."""
    mesh = sample.mesh
    verdicts = [_own_authority_is_another(sample, name) for name in sample.clusters]
    return all_of(verdicts + side_by_side(mesh.shell, partial(_vouched_for, sample), holders))


def authorities(sample: Sample) -> dict[str, Installed]:
    """What each control plane signs with, and the root that it names, by its cluster."""
    names = [one.name for one in sample.mesh.deployment.topology.control_planes]
    return {name: installed_authority(sample.mesh.cluster(name)) for name in names}


def distinct(certificates: Iterable[x509.Certificate]) -> int:
    """How many different ones there are."""
    return len({one.fingerprint(hashes.SHA256()) for one in certificates})


def primaries_are_siblings(sample: Sample) -> Verdict:
    """Each control plane has an authority of its own, and all of them are below one root."""
    held = authorities(sample)
    roots = distinct(one.root for one in held.values())
    own = distinct(one.authority.certificate for one in held.values())
    astray = [name for name, one in held.items() if not signed(one.authority.certificate, one.root)]
    expected = f"an authority of its own in each of {', '.join(held)}, below one root"
    faults = f", not below its root: {', '.join(astray)}" if astray else ""
    right = own == len(held) and roots == 1 and not astray
    evidence = {
        name: f"{one.authority.name} < {_name(one.root.subject)}" for name, one in held.items()
    }
    outcome = Outcome.PASS if right else Outcome.FAIL
    return Verdict(outcome, expected, f"{own} authorities, {roots} roots{faults}", evidence)


def a_stranger_is_refused(sample: Sample, caller: str, stranger: Credential) -> Verdict:
    """A certificate with sleep's name that another root stands behind is refused by each pod,
    as of an unknown authority; the same name by the mesh's own authority is answered."""
    return nobody_gets_in_with(sample, caller, stranger, STRANGER)


def _own_authority_is_another(sample: Sample, cluster: str) -> Verdict:
    """The control: a remote's own ``cacerts`` are there, and could be told from its primary's."""
    primary = sample.mesh.deployment.topology[cluster].primary
    own = installed_authority(sample.mesh.cluster(cluster)).authority
    used = installed_authority(sample.mesh.cluster(primary)).authority
    told_apart = cluster == primary or own.certificate != used.certificate
    expected = f"an authority of {cluster}'s own, other than {primary}'s"
    outcome = Outcome.PASS if told_apart else Outcome.FAIL
    return as_control(Verdict(outcome, expected, f"{own.name} and {used.name}"))


def _vouched_for(sample: Sample, holder: Holder) -> Verdict:
    primary = sample.mesh.deployment.topology[holder.cluster].primary
    installed = installed_authority(sample.mesh.cluster(primary))
    client = node_probe(sample.mesh.cluster(holder.asked_from))
    chain = ask(client, holder.address, holder.port, SNI).chain
    signer = installed.authority
    expected = f"{holder.what} to be {holder.identity}, by '{signer.name}' and the mesh's root"
    if not chain:
        return Verdict(Outcome.FAIL, expected, "no certificate was shown")
    shown = f"{', '.join(uris(chain[0])) or 'nobody'}, issued by {_name(chain[0].issuer)}"
    faults = [] if uris(chain[0]) == [holder.identity] else ["another identity"]
    if signer.certificate not in chain[1:2] or not signed(chain[0], signer.certificate):
        faults.append(f"not signed by '{signer.name}'")
    if why := distrusted(chain, installed.root):
        faults.append(f"not trusted by the mesh's root: {why}")
    observed = f"{shown}{''.join(f'; {one}' for one in faults)}"
    evidence = {"chain": " < ".join(_name(one.subject) or "(no name)" for one in chain)}
    return Verdict(Outcome.FAIL if faults else Outcome.PASS, expected, observed, evidence)


def _name(name: x509.Name) -> str:
    return name.rfc4514_string()
