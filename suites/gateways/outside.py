"""What is claimed of gateways towards a client outside all clusters: they are no way in.

Istio opens them to everybody who reaches their address; what is behind "can only be accessed by
services with a trusted mTLS certificate and workload ID":
https://istio.io/latest/docs/setup/install/multicluster/multi-primary_multi-network/
"""

from __future__ import annotations

from meshproof.artifacts.images import PROBE
from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.control import as_control
from meshproof.kube.asking import Asker
from meshproof.lab.outside import OutsideClient
from meshproof.mesh.credentials import Credential
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.mesh import Way
from meshproof.mesh.routes import host_of
from meshproof.traffic.handshake import certificate_of_sleep
from meshproof.traffic.probe import PATIENT, Target, probe
from meshproof.traffic.tls_question import TlsAnswer, ask
from meshproof.workloads.sample import SNI, Sample

API_SERVER = host_of("kubernetes", "default")
"""A service of every cluster whose instances have no sidecar."""
BYSTANDER = sni_of(API_SERVER, 443)


def client_outside(sample: Sample) -> OutsideClient:
    """A client on all of the lab's networks that is in none of its clusters."""
    return OutsideClient(sample.mesh.lab, sample.mesh.bundle.ours / PROBE)


def way_into(sample: Sample, cluster: str) -> Way:
    """The address and port of a gateway that leads into a cluster's network."""
    return next(iter(sample.mesh.ways_to(cluster).values()))


def nobody_gets_in(
    sample: Sample, cluster: str, client: Asker, shown: Credential | None
) -> Verdict:
    """Neither by plain text, nor without a certificate, nor with the one that is ``shown``, is a
    client answered through a cluster's gateway; with one of the mesh it is, so the way is open."""
    way = way_into(sample, cluster)
    plain = probe(client, Target("the gateway", way.address, way.port), PATIENT)
    silent = Verdict(
        Outcome.PASS if plain.refusal else Outcome.FAIL,
        f"the gateway at {way} to say nothing to the plain text of {client}",
        str(plain),
    )
    asked = {"without a certificate": None, "with the certificate of another root": shown}
    return all_of(
        [
            silent,
            *(_refused(way, what, _dial(client, way, one)) for what, one in asked.items()),
            _open(sample, cluster, client, way),
        ]
    )


def no_bystander_is_reached(
    sample: Sample, cluster: str, client: Asker, way: Way, sni: str = BYSTANDER
) -> Verdict:
    """A cluster's API server, which has no sidecar that would ask who calls, shows no certificate
    to a client who names it to a gateway; helloworld's sidecar does."""
    shown = ask(client, way.address, way.port, sni)
    expected = f"{API_SERVER} not to be reached by {client} through {way}"
    outcome = Outcome.FAIL if shown.chain or shown.status is not None else Outcome.PASS
    subject = f" ({shown.chain[0].subject.rfc4514_string()})" if shown.chain else ""
    reached = Verdict(outcome, expected, f"{shown}{subject}")
    return all_of([reached, _open(sample, cluster, client, way)])


def _dial(client: Asker, way: Way, shown: Credential | None) -> TlsAnswer:
    return ask(client, way.address, way.port, SNI, credential=shown)


def _refused(way: Way, what: str, answer: TlsAnswer) -> Verdict:
    expected = f"a client {what} to be refused behind {way}"
    outcome = Outcome.PASS if answer.status is None else Outcome.FAIL
    return Verdict(outcome, expected, f"{what}: {answer}")


def _open(sample: Sample, cluster: str, client: Asker, way: Way) -> Verdict:
    """Who has a certificate of the mesh is answered on the same way."""
    answer = _dial(client, way, certificate_of_sleep(sample, cluster))
    expected = f"{client} with a certificate of the mesh to be answered through {way}"
    outcome = Outcome.PASS if answer.status == 200 else Outcome.FAIL
    return as_control(Verdict(outcome, expected, str(answer)))
