"""Certificates of a machine that last for a short time only, and are renewed before it is up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from cryptography import x509

from meshproof.errors import EvidenceError
from meshproof.kube.workload import node_probe
from meshproof.mesh.machine_setup import TOKEN
from meshproof.traffic.settle import require
from meshproof.traffic.tls_question import ask
from meshproof.workloads.sample import PORT, SNI, Sample
from suites.machines.membership import files_of, joining_with

LIFE = 60
"""Seconds for which a machine is told to ask for certificates: its agent renews them at half of it
(https://istio.io/latest/docs/reference/commands/pilot-agent/, SECRET_TTL and
SECRET_GRACE_PERIOD_RATIO)."""
_AFTERWARDS = 5.0


@contextmanager
def briefly_certified(sample: Sample, machine: str) -> Iterator[x509.Certificate]:
    """A machine's certificates last for a minute inside the block, and the token by which it has
    joined is worth nothing any more: as a token is after an hour, which nobody renews. Gives the
    first certificate that it shows. Raises as ``joining_with``."""
    files = files_of(sample, machine)
    brief = {"cluster.env": files["cluster.env"].rstrip("\n") + f"\nSECRET_TTL='{LIFE}s'\n"}
    running = sample.machines[machine].running
    with joining_with(sample, machine, {**files, **brief}):
        require(lambda: shown(sample, machine), what=f"a certificate of {machine}")
        running.script(f"echo no.token.at-all > {TOKEN}\n")
        yield shown(sample, machine)


def shown(sample: Sample, machine: str) -> x509.Certificate:
    """The certificate that a machine's proxy shows now, asked for from the node of its cluster.
    Raises EvidenceError when it shows none."""
    one = sample.machines[machine]
    asking = node_probe(sample.mesh.cluster(one.cluster))
    chain = ask(asking, one.address, PORT, SNI).chain
    if not chain:
        raise EvidenceError(f"{one} shows no certificate")
    return chain[0]


def await_its_end(certificate: x509.Certificate) -> None:
    """Wait until a certificate is valid no longer. Raises EvidenceError for one that lasts longer
    than the machine was told to ask for."""
    what = "the end of the first certificate"

    def over() -> bool:
        left = certificate.not_valid_after_utc - datetime.now(UTC)
        return left.total_seconds() < -_AFTERWARDS

    require(over, what=what, within=LIFE + 2 * _AFTERWARDS)
