"""Clients that have no business at the gateway."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from meshproof.mesh.gateways import sni_of
from meshproof.mesh.routes import host_of
from meshproof.traffic.access_log import LogLine
from meshproof.traffic.tls_question import ISTIO_ALPN
from meshproof.workloads.sample import HOST, NAMESPACE, PORT, SNI


@dataclass(frozen=True, slots=True)
class Client:
    """``sni`` and ``alpn``: what it offers, None for nothing; ``plain``: it does not even speak
    TLS."""

    what: str
    sni: str | None = SNI
    alpn: str | None = ISTIO_ALPN
    plain: bool = False

    def is_meant(self, entry: LogLine) -> bool:
        """Whether a line of the gateway's access log may be about it."""
        if self.plain:
            return "HTTP_REQUEST" in entry.failure
        return entry.sni == (self.sni or "")

    def __str__(self) -> str:
        return self.what


def unknown_service() -> Client:
    """One that names a service that does not exist, by a name that nobody else uses."""
    nobody = host_of(f"nobody-{secrets.token_hex(3)}", NAMESPACE)
    return Client("an SNI of no service", sni=sni_of(nobody, PORT))


def unknown_port() -> Client:
    """One that names a port that the service does not have."""
    return Client("an SNI of no port", sni=sni_of(HOST, PORT + 1))


WITHOUT_ALPN = Client("TLS without ALPN", alpn=None)
WITH_OTHER_ALPN = Client("TLS with ALPN h2", alpn="h2")
PLAIN_HTTP = Client("a plain HTTP request", plain=True)
