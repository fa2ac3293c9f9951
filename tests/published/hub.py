"""What is behind public names: Docker Hub with its tokens, a registry of a company's, and release
files that GitHub leads on to. What is asked, and how many bytes were answered, is noted."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from tests.artifacts.outside import Served

HUB, TOKENS, COMPANYS = "registry-1.docker.io", "auth.docker.io", "registry.example"
_REALM = f'Bearer realm="https://{TOKENS}/token",service="registry.docker.io"'
_TOKEN = "a-token-of-nobody"
_OF_ONE_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "server", "date"})
_CHUNK = 2**18


class Hub(Served):
    """``behind``: the port of the registry that both names stand for; ``fetched``: how often each
    blob was; ``sent``: bytes of all answers of registries."""

    behind: ClassVar[int] = 0
    fetched: ClassVar[Counter[str]] = Counter()
    sent: ClassVar[Counter[str]] = Counter()
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def do_GET(self) -> None:  # noqa: N802 - as the library calls it
        host = self.headers["Host"]
        if host == TOKENS:
            self._say(200, json.dumps({"token": _TOKEN, "expires_in": 300}).encode())
        elif host not in (HUB, COMPANYS):
            super().do_GET()
        elif host == HUB and self.headers.get("Authorization") != f"Bearer {_TOKEN}":
            self._say(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', **{"WWW-Authenticate": _REALM})
        else:
            self._relay()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - as it calls them

    def _say(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _relay(self) -> None:
        """Ask the registry the same, and hand its answer on."""
        names = {name.lower() for name in self.headers} - _OF_ONE_HOP
        # Go writes a line for each kind of manifest that it accepts: all are one header.
        kept = {name: ", ".join(self.headers.get_all(name, ())) for name in names}
        kept["x-forwarded-proto"] = "https"
        kept.pop("authorization", None)
        there = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=600)
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "")
        there.request(self.command, self.path, self._body(), kept, encode_chunked=chunked)
        answer = there.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_ONE_HOP:
                self.send_header(name, value)
        self.end_headers()
        sent = 0
        while chunk := answer.read(_CHUNK):
            self.wfile.write(chunk)
            sent += len(chunk)
        there.close()
        with self._lock:
            self.sent[self.headers["Host"]] += sent
            if self.command == "GET" and answer.status == 200 and "/blobs/" in self.path:
                self.fetched[self.path.rpartition("/")[2]] += 1

    def _body(self) -> Iterator[bytes] | None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return self._chunks()
        left = int(self.headers.get("Content-Length", 0))
        return self._pieces(left) if left else None

    def _pieces(self, left: int) -> Iterator[bytes]:
        while left and (piece := self.rfile.read(min(left, _CHUNK))):
            left -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield from self._pieces(size)
            self.rfile.readline()
        self.rfile.readline()
