"""HTTP requests to a port inside a pod, through the API, as `kubectl port-forward` leads there.

The connection comes from inside the pod's own network namespace, so that what listens on the
loopback address alone is reached as well: a proxy's admin interface, istiod's debug pages.
"""

from __future__ import annotations

import http.client
import io
import time
from contextlib import ExitStack
from typing import Any

from meshproof.errors import EvidenceError, LabError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.kube.streams import V4, Streams, streams

_DATA, _ERROR = 0, 1
_PORT_BYTES = 2
"""The first message of each stream is the port's number."""


def fetch(
    cluster: RunningCluster,
    namespace: str,
    pod: str,
    port: int,
    path: str,
    *,
    method: str = "GET",
    timeout: float = 30.0,
) -> str:
    """What a port of a pod answers to an HTTP request. ``path``: without a slash in front.

    ``timeout``: seconds. Raises LabError when the pod cannot be reached, EvidenceError when nobody
    there answers, or with another status than 2xx.
    """
    doing = f"ask port {port} of {namespace}/{pod} of {cluster.name} for '{path}'"
    where = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
    end = time.monotonic() + timeout
    with ExitStack() as stack:
        with lab_errors(doing):
            connection = stack.enter_context(streams(cluster, where, [("ports", str(port))], [V4]))
        through = _Through(connection, end)
        client = http.client.HTTPConnection("localhost", port)
        client.sock = through
        try:
            with lab_errors(doing):
                client.request(method, f"/{path}", headers={"Connection": "close"})
                answer = client.getresponse()
                body = answer.read().decode(errors="replace")
        except (http.client.HTTPException, LabError) as error:
            raise EvidenceError(through.refusal(doing, error)) from error
    if not http.client.OK <= answer.status < http.client.MULTIPLE_CHOICES:
        raise EvidenceError(f"could not {doing}: it answered {answer.status} {answer.reason}")
    return body


class _Through(io.RawIOBase):
    """What http.client takes for its socket: it sends by ``sendall`` and reads a file."""

    def __init__(self, connection: Streams, end: float) -> None:
        self._connection, self._end = connection, end
        self._begun: set[int] = set()
        self._left = b""
        self._error = b""

    def refusal(self, doing: str, error: Exception) -> str:
        """Why there was no answer: in the words of the node, as far as it said any."""
        said = self._error.decode(errors="replace").strip()
        why = error.cause if isinstance(error, LabError) else str(error) or type(error).__name__
        return f"could not {doing}: {said}" if said else why

    def sendall(self, data: bytes) -> None:
        self._connection.send(_DATA, bytes(data))

    def makefile(self, mode: str, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(self)

    def close(self) -> None:
        """Nothing: whoever opened the streams closes them."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left and not self._error:
            received = self._connection.receive(self._end)
            if received is None:
                return 0
            self._take(*received)
        part = self._left[: len(buffer)]
        buffer[: len(part)] = part
        self._left = self._left[len(part) :]
        return len(part)

    def _take(self, stream: int, data: bytes) -> None:
        if stream not in self._begun:
            self._begun.add(stream)
            data = data[_PORT_BYTES:]
        if stream == _ERROR:
            self._error += data
        elif stream == _DATA:
            self._left += data
