"""Asks an endpoint over TLS from a workload: its certificates, its answer, its alert."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from meshproof.errors import EvidenceError
from meshproof.kube import asking
from meshproof.kube.asking import Asker, Failed, Question, Reply
from meshproof.mesh.credentials import Credential

ISTIO_ALPN = "istio"
"""The protocol (RFC 7301) by which Istio's proxies know each other's mutual TLS."""
NO_CERTIFICATE = "certificate required"
UNKNOWN_AUTHORITY = "unknown ca"
"""Alerts of RFC 8446, 6.2."""

_PATIENCE = 10.0
_QUESTION = b"GET /hello HTTP/1.1\r\nHost: helloworld\r\nConnection: close\r\n\r\n"
_STATUS = re.compile(r"HTTP/1\.[01] (\d{3}) .*")
_ALERTS = {
    0: "close notify",
    10: "unexpected message",
    20: "bad record mac",
    22: "record overflow",
    40: "handshake failure",
    42: "bad certificate",
    43: "unsupported certificate",
    44: "certificate revoked",
    45: "certificate expired",
    46: "certificate unknown",
    47: "illegal parameter",
    48: UNKNOWN_AUTHORITY,
    49: "access denied",
    50: "decode error",
    51: "decrypt error",
    70: "protocol version",
    71: "insufficient security",
    80: "internal error",
    86: "inappropriate fallback",
    90: "user canceled",
    109: "missing extension",
    110: "unsupported extension",
    112: "unrecognized name",
    113: "bad certificate status response",
    115: "unknown psk identity",
    116: NO_CERTIFICATE,
    120: "no application protocol",
}
_SAID = {
    Failed.REFUSED: "connection refused",
    Failed.NO_ROUTE: "no route",
    Failed.UNANSWERED: "nothing",
    Failed.BROKEN: "the connection was ended",
}
"""What is told of failures that are no alert; of others their own words."""


@dataclass(frozen=True, slots=True)
class TlsAnswer:
    """What came of a question over TLS.

    ``chain``: the certificates that the server showed, its own first, () when it showed none;
    ``status`` and ``body``: of its HTTP answer, None and "" when none came; ``alert``: the one
    that it sent, such as "certificate required", "" when none; ``said``: the alert or error that
    it ended with, or the first line of the answer.
    """

    chain: tuple[x509.Certificate, ...]
    status: int | None
    body: str
    alert: str
    said: str

    @property
    def identity(self) -> str:
        """The SPIFFE URI of the server's certificate; "" when it showed none with one."""
        return next(iter(uris(self.chain[0])), "") if self.chain else ""

    def __str__(self) -> str:
        shown = (
            f"the certificate of {self.identity or 'nobody'}" if self.chain else "no certificate"
        )
        return f"{shown}, then '{self.said}'"


def ask(
    client: Asker,
    address: IPv4Address,
    port: int,
    sni: str | None,
    *,
    alpn: str | None = ISTIO_ALPN,
    credential: Credential | None = None,
) -> TlsAnswer:
    """GET /hello over TLS from ``client``. ``sni`` and ``alpn``: what it offers, None for nothing;
    ``credential``: what the client shows, if anything.

    A refusal is a value. Raises EvidenceError when the client itself failed, or nothing at all
    came back, so that neither is taken for a refusal; and as ``asking.ask``.
    """
    offer = (alpn,) if alpn else ()
    shown = (credential.chain, credential.key) if credential else ("", "")
    where = f"{address}:{port}"
    reply = asking.ask(
        client, Question("tls", _PATIENCE, where, _QUESTION, sni or "", offer, *shown)
    )
    if reply.failure is not None and reply.failure.kind is Failed.SILENCE:
        raise EvidenceError(f"{client} could not connect to {where}: nothing came back")
    return read_answer(reply)


def read_answer(reply: Reply) -> TlsAnswer:
    """What a reply to a question by TLS means."""
    chain = tuple(x509.load_der_x509_certificate(one) for one in reply.chain)
    text = reply.payload.decode(errors="replace")
    status = _STATUS.search(text)
    alert = said = ""
    if reply.failure is not None:
        number = reply.failure.alert
        alert = _ALERTS.get(number, f"number {number}") if number else ""
        said = f"alert {alert}" if alert else _SAID.get(reply.failure.kind, reply.failure.said)
    return TlsAnswer(
        chain,
        int(status.group(1)) if status else None,
        text[status.start() :] if status else "",
        alert,
        said or (status.group(0).strip() if status else "nothing"),
    )


def uris(certificate: x509.Certificate) -> list[str]:
    """The URIs that a certificate is for: a workload's SPIFFE identity."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(uri) for uri in names.value.get_values_for_type(x509.UniformResourceIdentifier)]


def distrusted(chain: Sequence[x509.Certificate], root: x509.Certificate) -> str:
    """Why a chain does not lead up to ``root`` by valid signatures; "" when it does."""
    if not chain:
        return "there is no certificate"
    verifier = PolicyBuilder().store(Store([root])).build_client_verifier()
    try:
        verifier.verify(chain[0], list(chain[1:]))
    except VerificationError as error:
        return str(error)
    return ""


def signed(certificate: x509.Certificate, signer: x509.Certificate) -> bool:
    """Whether ``signer`` issued a certificate: by name, and by signature."""
    try:
        certificate.verify_directly_issued_by(signer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
