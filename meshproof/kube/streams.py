"""Connections to an API server that carry several streams: programs in pods, and pods' ports.

Each message of such a websocket begins with a byte that says which stream it belongs to. Of the
library's own client the part that reads programs' streams cannot be used from several threads at
once, and that of ports needs a thread for each.
https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from meshproof.kube.cluster import RunningCluster
from meshproof.process import called_off

if TYPE_CHECKING:
    import websocket

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
_CLOSE = 255
_LONGEST = 2**15
_LOOK_UP = 0.5
"""Seconds after which a run that was called off is heeded."""
_CONNECT_WITHIN = 20.0


class Streams:
    """An open connection. For one thread at a time."""

    def __init__(self, cluster: RunningCluster, connection: websocket.WebSocket) -> None:
        self._cluster = cluster
        self._connection = connection
        self.can_close = connection.getsubprotocol() == V5
        """Whether the other side can be told of a single stream's end."""

    def send(self, stream: int, data: bytes) -> None:
        """Send on one stream. Raises websocket's errors and OSError when the other side is gone."""
        for begin in range(0, len(data), _LONGEST):
            part = data[begin : begin + _LONGEST]
            self._connection.send_binary(bytes([stream]) + part)

    def close(self, stream: int) -> None:
        """Tell the other side that nothing more comes on a stream, where it can be told."""
        if self.can_close:
            self._connection.send_binary(bytes([_CLOSE, stream]))

    def receive(self, until: float) -> tuple[int, bytes] | None:
        """The next message: its stream, and what it says; None when the other side has ended the
        connection in good order.

        ``until``: a moment of ``time.monotonic``. Raises TimeoutError then, CancelledError when the
        run was called off, and websocket's errors and OSError when the connection breaks.
        """
        import websocket  # when there is a connection, here and below: who lists tests opens none

        while True:
            called_off(self._cluster.shell)
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(min(left, _LOOK_UP))
            try:
                kind, data = self._connection.recv_data()
            except websocket.WebSocketTimeoutException:
                continue
            except OSError:
                if self._connection.connected:
                    raise
                return None  # it had said goodbye, and did not wait for ours
            if kind == websocket.ABNF.OPCODE_CLOSE:
                return None
            if data and data[0] != _CLOSE:
                return data[0], data[1:]


@contextmanager
def streams(
    cluster: RunningCluster, path: str, query: Sequence[tuple[str, str]], protocols: Sequence[str]
) -> Iterator[Streams]:
    """A connection to ``path`` of a cluster's API, open inside the block.

    ``protocols``: those that may be spoken, the best first. Raises websocket's errors and OSError
    when it does not come about.
    """
    import websocket

    api = cluster.api
    auth = api.configuration.auth_settings().values()
    host = urlsplit(api.configuration.host)
    scheme = "wss" if host.scheme == "https" else "ws"
    with closing(_connected(cluster, host.hostname or "", host.port or 443)) as carrying:
        connection = websocket.create_connection(
            f"{scheme}://{host.netloc}{path}?{urlencode(query)}",
            header={entry["key"]: entry["value"] for entry in auth},
            subprotocols=list(protocols),
            socket=carrying,
            timeout=_CONNECT_WITHIN,
        )
        try:
            yield Streams(cluster, connection)
        finally:
            with suppress(websocket.WebSocketException, OSError):
                connection.close(timeout=0)  # nobody waits for the other side's goodbye


def _connected(cluster: RunningCluster, host: str, port: int) -> socket.socket:
    """Connected by ourselves, so that keys and authorities are read once for all connections, and
    no proxy of the user's has a part in it."""
    plain = socket.create_connection((host, port), timeout=_CONNECT_WITHIN)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        context = cluster.tls
        named = cluster.api.configuration.tls_server_name or host
        return plain if context is None else context.wrap_socket(plain, server_hostname=named)
    except BaseException:
        plain.close()
        raise
