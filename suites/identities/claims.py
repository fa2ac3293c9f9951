"""What is claimed of peers' identities, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from cryptography import x509

from meshproof.expect import Outcome, Verdict, all_of, answered_from_home, calls_to_meet
from meshproof.expect.control import as_control
from meshproof.expect.handshake import answered_as, objected_to
from meshproof.expect.identities import peers_are
from meshproof.kube.workload import Workload, node_probe
from meshproof.mesh.credentials import Credential, authorities, distinct, installed_authority
from meshproof.mesh.mesh import Way
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.handshake import (
    Objection,
    certificate_of_sleep,
    refused_handshakes,
    shake_hands,
)
from meshproof.traffic.settle import reachable
from meshproof.traffic.tls_question import UNKNOWN_AUTHORITY, ask, distrusted, signed, uris
from meshproof.workloads.sample import PORT, SNI, Sample

UNKNOWN_ROOT = Objection(UNKNOWN_AUTHORITY, "CERTIFICATE_VERIFY_FAILED", "it was not refused")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who should hold a certificate: where it is asked for, from the node of ``asked_from``.
    ``clusters``: where it may run, as far as the way leads to several."""

    what: str
    clusters: tuple[str, ...]
    asked_from: str
    way: Way
    identity: str


def peers_know_each_other(sample: Sample, caller: Workload) -> Verdict:
    """In calls to every version the server is told of sleep's identity, and the caller's proxy
    of helloworld's."""
    responses = call(sample, caller, Plan(times=calls_to_meet(sample.smallest_share)))
    names = peers_are(sample, caller.cluster, responses)
    return all_of([answered_from_home(responses, reachable(sample, caller.cluster)), names])


def workloads(sample: Sample) -> list[Holder]:
    """sleep and helloworld in each cluster; helloworld also by the ways from other clusters."""
    found = []
    for name in sample.clusters:
        # Any port will do: the proxy shows its certificate before it looks for a server there.
        way = Way(sample.caller(name).address, PORT)
        found.append(Holder(f"sleep of {name}", (name,), name, way, sample.caller_identity(name)))
        identity = sample.server_identity(name)
        for one in sample.behind(name):
            versions = "/".join(dict.fromkeys(server.version for server in one.servers))
            what = f"{versions} of {'/'.join(one.clusters)}, asked from {name}"
            found.append(Holder(what, one.clusters, name, one.way, identity))
    return found


def signed_by_the_primarys_authority(sample: Sample, holders: Sequence[Holder]) -> Verdict:
    """Each workload shows a certificate of its identity that the authority of its primary
    signed, and that leads up to the mesh's root; even where its cluster has ``cacerts`` of its
    own."""
    mesh = sample.mesh
    verdicts = [_own_authority_is_another(sample, name) for name in sample.clusters]
    return all_of(verdicts + side_by_side(mesh.shell, partial(_vouched_for, sample), holders))


def _below(sample: Sample, names: Iterable[str]) -> list[list[str]]:
    """The control planes, apart by the root that the topology says they are below."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(sample.topology[name].mesh.root, []).append(name)
    return list(found.values())


def primaries_are_siblings(sample: Sample) -> Verdict:
    """Each control plane has an authority of its own, and those whose meshes share a root of
    trust are below one root, which no other mesh has."""
    held = authorities(sample.mesh)
    roots = distinct(one.root for one in held.values())
    own = distinct(one.authority.certificate for one in held.values())
    astray = [name for name, one in held.items() if not signed(one.authority.certificate, one.root)]
    below = _below(sample, held)
    shared = all(distinct(held[name].root for name in names) == 1 for names in below)
    told = " and another of ".join(", ".join(names) for names in below)
    expected = f"an authority of its own in each of {', '.join(held)}, below one root of {told}"
    faults = f", not below its root: {', '.join(astray)}" if astray else ""
    right = own == len(held) and roots == len(below) and shared and not astray
    evidence = {
        name: f"{one.authority.name} < {_name(one.root.subject)}" for name, one in held.items()
    }
    outcome = Outcome.PASS if right else Outcome.FAIL
    return Verdict(outcome, expected, f"{own} authorities, {roots} roots{faults}", evidence)


def another_roots_client_is_refused(sample: Sample, caller: str, credential: Credential) -> Verdict:
    """A certificate with sleep's name that another root stands behind is refused by each pod,
    as of an unknown authority; the same name by the mesh's own authority is answered."""
    refused = refused_handshakes(sample, caller, credential, UNKNOWN_ROOT)
    genuine, identity = certificate_of_sleep(sample, caller), sample.caller_identity(caller)
    welcome = [shake_hands(sample, caller, one, genuine) for one in sample.behind(caller)]
    return all_of(
        [
            *(objected_to(one, UNKNOWN_ROOT) for one in refused),
            *(as_control(answered_as(one, identity)) for one in welcome),
        ]
    )


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
    primaries = dict.fromkeys(sample.topology[name].primary for name in holder.clusters)
    held = [installed_authority(sample.mesh.cluster(name)) for name in primaries]
    asking = node_probe(sample.mesh.cluster(holder.asked_from))
    chain = ask(asking, holder.way.address, holder.way.port, SNI).chain
    names = "' or '".join(one.authority.name for one in held)
    expected = f"{holder.what} to be {holder.identity}, by '{names}' and the mesh's root"
    if not chain:
        return Verdict(Outcome.FAIL, expected, "no certificate was shown")
    shown = f"{', '.join(uris(chain[0])) or 'nobody'}, issued by {_name(chain[0].issuer)}"
    faults = [] if uris(chain[0]) == [holder.identity] else ["another identity"]
    above = [one.authority.certificate for one in held]
    if not any(one in chain[1:2] and signed(chain[0], one) for one in above):
        faults.append(f"not signed by '{names}'")
    if why := distrusted(chain, held[0].root):
        faults.append(f"not trusted by the mesh's root: {why}")
    observed = f"{shown}{''.join(f'; {one}' for one in faults)}"
    evidence = {"chain": " < ".join(_name(one.subject) or "(no name)" for one in chain)}
    return Verdict(Outcome.FAIL if faults else Outcome.PASS, expected, observed, evidence)


def _name(name: x509.Name) -> str:
    return name.rfc4514_string()
