"""An API server that carries streams, as far as programs and ports in pods need one."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from websocket import ABNF
from websocket._abnf import frame_buffer

_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CLOSED = 255


@dataclass
class Connection:
    """The server's side. ``asked``: the path; ``query``: what was asked, in order."""

    asked: str
    query: list[tuple[str, str]]
    protocols: list[str]
    connection: socket.socket

    def __post_init__(self) -> None:
        self._frames = frame_buffer(self._received, skip_utf8_validation=True)

    def send(self, stream: int, data: bytes) -> None:
        """A message on one stream."""
        self._send(bytes([stream]) + data, ABNF.OPCODE_BINARY)

    def status(self, **status: object) -> None:
        """How a program has ended."""
        self.send(3, json.dumps(status).encode())

    def goodbye(self) -> None:
        """The end, in good order."""
        self._send(b"\x03\xe8", ABNF.OPCODE_CLOSE)

    def receive(self) -> tuple[int, bytes]:
        """The next message: its stream and what it says."""
        data = self._frames.recv_frame().data
        assert isinstance(data, bytes)
        return data[0], data[1:]

    def words(self) -> list[str]:
        """The program that is to be run."""
        return [value for name, value in self.query if name == "command"]

    def _send(self, data: bytes, kind: int) -> None:
        frame = ABNF(1, 0, 0, 0, kind, 0, data)
        self.connection.sendall(frame.format())

    def _received(self, count: int) -> bytes:
        data = self.connection.recv(count)
        if not data:
            raise ConnectionError
        return data


@contextmanager
def api_server(
    play: Callable[[Connection], None], protocol: str = "v5.channel.k8s.io", refusal: int = 0
) -> Iterator[str]:
    """A server that speaks ``protocol``, or refuses with a status; its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            if refusal:
                body = json.dumps({"message": 'pods "sleep" not found'}).encode()
                self.send_response(refusal)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            key = hashlib.sha1(f"{self.headers['Sec-WebSocket-Key']}{_KEY}".encode())
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(key.digest()).decode())
            self.send_header("Sec-WebSocket-Protocol", protocol)
            self.end_headers()
            self.wfile.flush()
            offered = self.headers["Sec-WebSocket-Protocol"].split(",")
            asked = urlsplit(self.path)
            play(Connection(asked.path, parse_qsl(asked.query), offered, self.connection))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
