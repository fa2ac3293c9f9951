"""Certificates of a mesh as a workload holds them, issued by an authority that is installed.

A pod's own key never leaves its proxy's memory; who asks as a workload would, from outside, needs
a certificate of his own, and the authority's key is in the cluster.
"""

from __future__ import annotations

import base64
import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from meshproof.errors import EvidenceError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.trust import SECRET, Authority

_LIFETIME = datetime.timedelta(hours=1)
_SLACK = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate with those above it, and its key; both in PEM."""

    chain: str
    key: str


@dataclass(frozen=True, slots=True)
class Installed:
    """The authority that a cluster's ``cacerts`` holds, and the root that it names."""

    authority: Authority
    root: x509.Certificate


def installed_authority(cluster: RunningCluster) -> Installed:
    """What the secret ``cacerts`` of a cluster holds now: a mesh may be older than this run.

    Raises LabError when there is no such secret, EvidenceError when its key is of no kind that
    meshproof makes.
    """
    with lab_errors(f"read {SECRET} of {cluster.name}"):
        data = cluster.core.read_namespaced_secret(SECRET, SYSTEM).data
    texts = {name: base64.b64decode(value) for name, value in data.items()}
    key = serialization.load_pem_private_key(texts["ca-key.pem"], password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise EvidenceError(f"the key in {SECRET} of {cluster.name} is none of meshproof's")
    certificate = x509.load_pem_x509_certificate(texts["ca-cert.pem"])
    return Installed(
        Authority(key, certificate), x509.load_pem_x509_certificate(texts["root-cert.pem"])
    )


def authorities(mesh: Mesh) -> dict[str, Installed]:
    """What each control plane signs with, and the root that it names, by its cluster. Raises as
    ``installed_authority`` does."""
    names = [one.name for one in mesh.deployment.topology.control_planes]
    return {name: installed_authority(mesh.cluster(name)) for name in names}


def distinct(certificates: Iterable[x509.Certificate]) -> int:
    """How many different ones there are."""
    return len({one.fingerprint(hashes.SHA256()) for one in certificates})


def issue(authority: Authority, identity: str, hosts: Iterable[str] = ()) -> Credential:
    """A new key and a certificate for a SPIFFE URI, with the extensions that istiod's have.

    ``hosts``: names of a server that it is for as well.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    uri, servers = x509.UniformResourceIdentifier(identity), map(x509.DNSName, hosts)
    names = x509.SubjectAlternativeName([uri, *servers])
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    above = authority.key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)
        # Critical, since the subject is empty (RFC 5280, 4.2.1.6).
        .add_extension(names, critical=True)
        .sign(authority.key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = certificate.public_bytes(encoding).decode() + authority.pem
    return Credential(chain, secret.decode())
