"""Asks an endpoint over TLS from a workload: its certificates, its answer, its alert.

The node's own openssl speaks, so that no proxy of the mesh has a part in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from meshproof.errors import EvidenceError
from meshproof.kube.workload import Workload
from meshproof.mesh.credentials import Credential

ISTIO_ALPN = "istio"
"""The protocol (RFC 7301) by which Istio's proxies know each other's mutual TLS."""
NO_CERTIFICATE = "certificate required"
UNKNOWN_AUTHORITY = "unknown ca"
"""Alerts of RFC 8446, 6.2, in openssl's words."""

# Keys go by standard input into files that are gone with the program. -ign_eof: the server may
# answer, or refuse, after the question, and with TLS 1.3 only then is it known whether it let its
# client in. The question is put a moment after the handshake: a server that refuses with a
# question unread resets, and its alert gets lost. stdbuf: openssl writes data past its own
# buffer, which would come in the middle of what it prints.
_SCRIPT = """
set -e; folder=$(mktemp -d); trap 'rm -r "$folder"' EXIT
cat > "$folder/all"; cd "$folder"
[ -s all ] && set -- "$@" -cert all -key all -cert_chain all
set +e; timeout 5 stdbuf -oL openssl s_client "$@" -showcerts -ign_eof < <(
    exec 2>/dev/null
    sleep 0.5
    printf 'GET /hello HTTP/1.1\\r\\nHost: helloworld\\r\\nConnection: close\\r\\n\\r\\n'
)
"""
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_TOLD = re.compile(r"alert (?!number)[a-z ]+|errno=\d+|wrong version number|unexpected eof.*")
_ALERT = re.compile(r"alert ([a-z ]+?):.*SSL alert number \d+")
_STATUS = re.compile(r"HTTP/1\.[01] (\d{3}) .*")


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
    client: Workload,
    address: IPv4Address,
    port: int,
    sni: str | None,
    *,
    alpn: str | None = ISTIO_ALPN,
    credential: Credential | None = None,
) -> TlsAnswer:
    """GET /hello over TLS from ``client``. ``sni`` and ``alpn``: what it offers, None for nothing;
    ``credential``: what the client shows, if anything.

    A refusal is a value. Raises EvidenceError when the client itself failed, so that a broken
    client is never taken for a refusal.
    """
    name = ("-servername", sni) if sni else ("-noservername",)
    offer = ("-alpn", alpn) if alpn else ()
    options = ("-connect", f"{address}:{port}", *name, *offer)
    shown = f"{credential.chain}{credential.key}" if credential else ""
    asked = client.run_from_node(
        "bash", "-c", _SCRIPT, "ask", *options, input=shown, check=False, timeout=20
    )
    return read_answer(asked.stdout, asked.stderr)


def read_answer(printed: str, complained: str) -> TlsAnswer:
    """Read what ``openssl s_client -showcerts`` printed and what it complained of.

    Raises EvidenceError when it did not even try a connection.
    """
    if "CONNECTED(" not in printed and "connect:errno" not in complained:
        raise EvidenceError(f"openssl failed by itself: {complained.strip()[-300:]}")
    # The server's own certificate may be printed again at the end, where the chain is over.
    listed = printed.split("Server certificate")[0]
    chain = tuple(x509.load_pem_x509_certificate(one.encode()) for one in _PEM.findall(listed))
    alert, status = _ALERT.search(complained), _STATUS.search(printed)
    told = _TOLD.findall(complained)
    return TlsAnswer(
        chain,
        int(status.group(1)) if status else None,
        printed[status.start() :] if status else "",
        alert.group(1) if alert else "",
        told[-1] if told else status.group(0).strip() if status else "nothing",
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
