"""What a TLS server shows a client that has no certificate of its own: read off the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from meshproof.errors import EvidenceError
from meshproof.lab.spot import Spot

ISTIO_ALPN = "istio"
"""What sidecars offer each other (RFC 7301 calls it a protocol name)."""
_PATIENCE = 5
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
# An answer to the question shows that the server let its client in. It is put a moment after the
# handshake: a server that refuses with a question unread resets, and its alert gets lost.
_ASK = f"""timeout {_PATIENCE} "$@" < <(
    exec 2>/dev/null
    sleep 0.5
    printf 'GET /hello HTTP/1.1\\r\\nHost: helloworld\\r\\nConnection: close\\r\\n\\r\\n'
)"""
_NEGOTIATED = re.compile(r"^New, TLSv1\.\d, Cipher is (?!\(NONE\))", re.MULTILINE)
_TOLD = re.compile(r"alert (?!number)[a-z ]+|errno=\d+|wrong version number|unexpected eof.*")
_ANSWERED = re.compile(r"^HTTP/1\.[01] \d{3}.*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Handshake:
    """What came of a handshake. ``chain``: the server's certificates, its own first, () when it
    showed none; ``said``: the alert or error it ended with, or the first line of the answer;
    ``completed``: whether both sides held it for done. With TLS 1.3 a server that misses the
    client's certificate says so only after the client holds it for done: that is not completed.
    """

    chain: tuple[x509.Certificate, ...]
    said: str
    completed: bool

    @property
    def identity(self) -> str:
        """The SPIFFE URI of the server's certificate; "" when it showed none with one."""
        return identity(self.chain[0]) if self.chain else ""

    def __str__(self) -> str:
        shown = (
            f"the certificate of {self.identity or 'nobody'}" if self.chain else "no certificate"
        )
        return f"{shown}, then '{self.said}'"


def peer_chain(
    spot: Spot, address: IPv4Address, port: int, *, sni: str | None = None, alpn: str | None = None
) -> Handshake:
    """Shake hands from ``spot``, without a certificate, ask for /hello, and say what came of it.

    A refusal is a value. Raises EvidenceError when the client itself failed, so that a broken
    client is never taken for a refusal.
    """
    name = ("-servername", sni) if sni else ("-noservername",)
    offer = ("-alpn", alpn) if alpn else ()
    # -ign_eof: only what comes after the handshake tells whether the server held it for done.
    client = ("openssl", "s_client", "-showcerts", "-ign_eof", "-connect", f"{address}:{port}")
    argv = ("bash", "-c", _ASK, "ask", *client, *name, *offer)
    asked = spot.run(*argv, check=False, timeout=_PATIENCE + 20)
    if "CONNECTED(" not in asked.stdout and "connect:errno" not in asked.stderr:
        said = asked.stderr.strip()[-200:]
        raise EvidenceError(f"the handshake with {address}:{port} failed by itself: {said}")
    return read_handshake(asked.stdout, asked.stderr)


def read_handshake(printed: str, complained: str) -> Handshake:
    """Read what ``openssl s_client -showcerts`` printed and what it complained of."""
    # The server's own certificate is printed again at the end, where the chain is over.
    listed = printed.split("Server certificate")[0]
    chain = tuple(x509.load_pem_x509_certificate(one.encode()) for one in _PEM.findall(listed))
    answer = _ANSWERED.search(printed)
    told = _TOLD.findall(complained)
    said = told[-1] if told else answer.group(0).strip() if answer else "nothing"
    return Handshake(chain, said, bool(_NEGOTIATED.search(printed)) and not told)


def identity(certificate: x509.Certificate) -> str:
    """The URI that a certificate was issued for, such as a SPIFFE identity; "" without one."""
    try:
        names = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        ).value
    except x509.ExtensionNotFound:
        return ""
    assert isinstance(names, x509.SubjectAlternativeName)
    return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), "")
