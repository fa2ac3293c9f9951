"""Asks an endpoint over TLS from a spot on the network: its certificates, its answer, its alert.

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
from meshproof.lab.spot import Spot
from meshproof.mesh.credentials import Credential

ISTIO_ALPN = "istio"
"""The protocol by which Istio's proxies know each other's mutual TLS."""
NO_CERTIFICATE = "certificate required"
UNKNOWN_AUTHORITY = "unknown ca"
"""Alerts of RFC 8446, 6.2, in openssl's words."""

# Keys go by standard input into files that are gone with the program. -ign_eof: the server may
# answer, or refuse, after the question. stdbuf: openssl writes data past its own buffer, which
# would come in the middle of a certificate.
_SCRIPT = """
set -e; folder=$(mktemp -d); trap 'rm -r "$folder"' EXIT
cat > "$folder/all"; cd "$folder"
question=$1; shift
[ -s all ] && set -- "$@" -cert all -key all -cert_chain all
set +e; printf "$question" | timeout 6 stdbuf -oL openssl s_client "$@" -showcerts -ign_eof 2>&1
"""
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_ALERT = re.compile(r"alert ([a-z ]+?):.*SSL alert number \d+")
_STATUS = re.compile(r"HTTP/1\.[01] (\d{3}) ")


@dataclass(frozen=True, slots=True)
class TlsAnswer:
    """What came of a question over TLS.

    ``chain``: the certificates that the server showed, its own first; ``status`` and ``body``:
    of its HTTP answer, None and "" when none came; ``alert``: the one that it sent, such as
    "certificate required", "" when none; ``said``: openssl's last words.
    """

    chain: tuple[x509.Certificate, ...]
    status: int | None
    body: str
    alert: str
    said: str

    def __str__(self) -> str:
        if self.status is not None:
            return f"{self.status} ({' '.join(self.body.split())[:120]})"
        return f"TLS alert '{self.alert}'" if self.alert else f"no answer ({self.said})"


def ask(
    spot: Spot,
    address: IPv4Address,
    port: int,
    sni: str,
    *,
    alpn: str = ISTIO_ALPN,
    credential: Credential | None = None,
    path: str = "/hello",
) -> TlsAnswer:
    """GET ``path`` over TLS from ``spot``. ``credential``: what the client shows, if anything.

    A refusal is a value. Raises EvidenceError when not even a connection was tried.
    """
    question = f"GET {path} HTTP/1.1\\r\\nHost: {sni}\\r\\nConnection: close\\r\\n\\r\\n"
    shown = f"{credential.chain}{credential.key}" if credential else ""
    options = ("-connect", f"{address}:{port}", "-servername", sni, "-alpn", alpn)
    asked = spot.run(
        "bash", "-c", _SCRIPT, "ask", question, *options, input=shown, check=False, timeout=20
    )
    return read_answer(asked.stdout)


def peer_chain(
    spot: Spot, address: IPv4Address, port: int, sni: str, alpn: str = ISTIO_ALPN
) -> tuple[x509.Certificate, ...]:
    """The certificates that a server shows to ``spot``, its own first; () when it shows none.

    Raises EvidenceError when not even a connection was tried.
    """
    return ask(spot, address, port, sni, alpn=alpn).chain


def read_answer(printed: str) -> TlsAnswer:
    """Read what ``openssl s_client -showcerts`` printed. Raises EvidenceError."""
    if "CONNECTED" not in printed and "errno" not in printed:
        raise EvidenceError(f"openssl failed by itself: {printed.strip()[-300:]}")
    chain = tuple(x509.load_pem_x509_certificate(one.encode()) for one in _PEM.findall(printed))
    alert, status = _ALERT.search(printed), _STATUS.search(printed)
    lines = printed.strip().splitlines()
    return TlsAnswer(
        chain,
        int(status.group(1)) if status else None,
        printed[status.start() :] if status else "",
        alert.group(1) if alert else "",
        lines[-1][-160:] if lines else "",
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
