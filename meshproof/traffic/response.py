"""A call's outcome as a value: reply or refusal, who served it, and the caller's log line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from meshproof.kube.workload import Workload
from meshproof.traffic.access_log import LogLine


class Refused(Enum):
    """How a call can end without an HTTP status, or by gRPC without OK."""

    NAME = "the name does not resolve"
    CONNECTION = "connection refused"
    RESET = "connection reset"
    TIMEOUT = "no answer in time"
    TLS = "TLS refused"
    STATUS = "another status than OK"
    OTHER = "refused"


@dataclass(frozen=True, slots=True)
class Response:
    """One call and what came of it. A refused call is a value, not an exception.

    ``id``: the request id it carried; ``caller``: the cluster it was made in; ``status``: the
    HTTP status, None when ``refusal`` says how it ended instead; ``said``: what the refusal
    said; ``version`` and ``pod``: as the answer claims; ``server``: the pod of that name as the
    API describes it, None when there is no such pod; ``identity``: the SPIFFE URI that the
    server's proxy saw of the caller; ``served_as``: the one that it served as; ``log``: the
    line in the caller's access log with the same id, None when there is none; ``source``: the
    "address:port" that the call was made from, which for a caller without a sidecar is the one
    that the server's side sees, unless it is rewritten on the way.
    """

    id: str
    caller: str
    status: int | None
    refusal: Refused | None
    said: str
    body: str
    seconds: float
    version: str | None = None
    pod: str | None = None
    server: Workload | None = None
    identity: str | None = None
    served_as: str | None = None
    log: LogLine | None = None
    source: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the call was answered with 200."""
        return self.status == 200

    @property
    def cluster(self) -> str | None:
        """The cluster that answered, by the API's knowledge of the pod."""
        return self.server.cluster if self.server else None

    def shown(self, header: str) -> str:
        """The value of a request's header as helloworld shows it when it is asked to; "" when it
        shows none."""
        lines = (line.partition(": ") for line in self.body.splitlines())
        return next((value for name, _, value in lines if name == header), "")

    def __str__(self) -> str:
        if self.refusal is not None:
            return f"{self.refusal.value} ({self.said})"
        by = f" by {self.version} ({self.pod} of {self.cluster})" if self.pod else ""
        log = self.log
        why = f" [{log.flags} {log.details} {log.upstream_failure}]" if log and log.flags else ""
        path = f" through {log.upstream_host}" if log and log.upstream_host else ""
        return f"{self.status}{by}{path}{why}"
