"""The outside on loopback: a proxy that leads every host name to one HTTPS server, whose
certificate is a private authority's, so that the real addresses are asked for.

What the server answers is told by host and path; what it is asked is noted.
"""

from __future__ import annotations

import hashlib
import select
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = (
    "github.com",
    "api.github.com",
    "release-assets.githubusercontent.com",
    "registry-1.docker.io",
    "auth.docker.io",
    "registry.example",
    "mirror.example",
    "get.helm.sh",
)


@dataclass
class Answer:
    """``cut``: bytes of the content after which the connection ends; ``hangs``: whether nothing
    follows them until the outside is gone."""

    content: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    hangs: bool = False


@dataclass
class Outside:
    """``answers``: by "host/path". ``asked``: the same, in order; ``through``: the hosts that the
    proxy was asked for. ``refuses``: what the proxy answers instead, such as 407."""

    authority: Path
    proxy: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    through: list[str] = field(default_factory=list)
    refuses: int | None = None
    gone: threading.Event = field(default_factory=threading.Event)

    def publish(self, url: str, content: bytes, *, summed: bytes | None = None) -> None:
        """Serve a release's file and its checksum's file, which is of ``summed`` where that is
        given."""
        place = url.removeprefix("https://")
        suffix = ".sha256" if place.endswith(".tar.gz") else ".sha256sum"
        digest = hashlib.sha256(content if summed is None else summed).hexdigest()
        name = place.rpartition("/")[2]
        self.answers[place] = Answer(content)
        self.answers[place + suffix] = Answer(f"{digest}  {name}\n".encode())


@contextmanager
def outside(folder: Path, served: type[Served] | None = None) -> Iterator[Outside]:
    """The outside, as long as the block lasts. ``folder``: for certificates; ``served``: what
    answers behind all names."""
    authority, chain = _certificates(folder)
    found = Outside(authority)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found, served or Served))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found, _Proxy, server.server_port))
    found.proxy = f"http://127.0.0.1:{proxy.server_port}"
    both = (server, proxy)
    for one in both:
        one.daemon_threads = True
        threading.Thread(target=one.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield found
    finally:
        found.gone.set()
        for one in both:
            one.shutdown()
            one.server_close()


class Served(BaseHTTPRequestHandler):
    """Answers what ``Outside.answers`` says."""

    outside: Outside

    def do_GET(self) -> None:
        place = f"{self.headers['Host']}{self.path}"
        self.outside.asked.append(place)
        answer = self.outside.answers.get(place, Answer(b"nothing here", 404))
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content[: answer.cut])
        self.wfile.flush()
        if answer.hangs:
            self.outside.gone.wait(30)
        self.close_connection = answer.cut is not None

    do_HEAD = do_GET  # noqa: N815 - as the library calls it

    def log_message(self, *_: Any) -> None:
        pass


class _Proxy(BaseHTTPRequestHandler):
    outside: Outside
    port: int

    def do_CONNECT(self) -> None:
        self.outside.through.append(self.path)
        if self.outside.refuses is not None:
            self.send_error(self.outside.refuses)
            return
        with socket.create_connection(("127.0.0.1", self.port)) as there:
            self.send_response(200)
            self.end_headers()
            _carry(self.connection, there)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


def _carry(here: socket.socket, there: socket.socket) -> None:
    other = {here: there, there: here}
    while True:
        for one in select.select([here, there], [], [], 30)[0]:
            data = one.recv(65536)
            if not data:
                return
            other[one].sendall(data)


def _handler(of: Outside, kind: type[Any], port: int = 0) -> type[Any]:
    return type(kind.__name__, (kind,), {"outside": of, "port": port})


def _certificates(folder: Path) -> tuple[Path, Path]:
    """An authority's certificate, and a server's with its key, each in a file."""
    key, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a company's authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[0])])
    now = datetime.now(UTC)

    def signed(name: x509.Name, public: Any, *more: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer)
        builder = builder.public_key(public).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1))
        builder = builder.not_valid_after(now + timedelta(days=1))
        for one in more:
            builder = builder.add_extension(one, critical=isinstance(one, x509.BasicConstraints))
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    root, chain = folder / "authority.pem", folder / "server.pem"
    of_root = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    by_root = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(of_root)
    root.write_bytes(
        signed(issuer, key.public_key(), x509.BasicConstraints(ca=True, path_length=0), of_root)
    )
    private = own.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    names = x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES])
    chain.write_bytes(signed(subject, own.public_key(), names, by_root) + private)
    return root, chain
