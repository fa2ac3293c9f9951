"""The mesh's trust: one root, and an intermediate for each cluster, as Istio's ``cacerts`` secret.

The secret's keys are those of https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SECRET = "cacerts"  # noqa: S105 - the secret's name
_LIFETIME = datetime.timedelta(days=30)
# The nodes' clocks are this machine's; a little slack all the same.
_SLACK = datetime.timedelta(minutes=5)


@dataclass(frozen=True)
class Authority:
    """A certificate authority: its key and certificate, and the one above it (None for a root)."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    issuer: Authority | None = None

    @classmethod
    def root(cls, name: str) -> Authority:
        """A new root that signs itself. ``name``: its common name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name)
        return cls(key, _certificate(subject, subject, key, key, path_length=1))

    def intermediate(self, name: str) -> Authority:
        """A new authority below this one, which may sign workloads' certificates only."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate.subject
        certificate = _certificate(_subject(name), issuer, key, self.key, path_length=0)
        return Authority(key, certificate, self)

    @property
    def name(self) -> str:
        """The common name."""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value)

    @cached_property
    def pem(self) -> str:
        """The certificate, in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def cacerts(self) -> dict[str, str]:
        """What istiod reads from the secret ``cacerts``, by key."""
        top = self
        chain = self.pem
        while top.issuer is not None:
            top = top.issuer
            chain += top.pem
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "ca-cert.pem": self.pem,
            "ca-key.pem": key.decode(),
            "root-cert.pem": top.pem,
            "cert-chain.pem": chain,
        }


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "meshproof"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    path_length: int,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
