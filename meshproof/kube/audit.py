"""Who asked what of a cluster's API server, as the server itself wrote it down.

Labs make their clusters with an audit policy (``meshproof/lab/audit-policy.yaml``, which tells
what is left out). The events go to the server's standard output, and so into its container's
log; a watch is written when it begins, everything else when it has been answered.
https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from meshproof.errors import EvidenceError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.node_logs import folder, on_stdout, printed_since

_LOGS = folder("kube-system", "kube-apiserver-*", "kube-apiserver")
_COMES_FIRST = ("ResponseStarted", "ResponseComplete", "Panic")


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request. ``at``: seconds since the epoch when it came in; ``sources``: addresses, the
    client's first; ``resource``: with its subresource, as "serviceaccounts/token"; ``name`` and
    ``namespace`` are "" where there is none; ``path``: for what is no resource; ``code``: HTTP's.
    """

    at: float
    user: str
    sources: tuple[str, ...]
    verb: str
    resource: str
    namespace: str
    name: str
    path: str
    code: int

    def __str__(self) -> str:
        what = "/".join(word for word in (self.namespace, self.name) if word)
        asked = f"{self.resource} {what}".strip() or self.path
        return f"{self.user} from {', '.join(self.sources)}: {self.verb} {asked} ({self.code})"


def requests_since(
    cluster: RunningCluster, moment: float, containing: Sequence[str] = ()
) -> list[ApiRequest]:
    """The requests that came in since ``moment`` (seconds since the epoch) and were written down
    so far, in that order. The line of one that was answered just now may follow a little later:
    whoever claims that something was not asked makes a request afterwards, and waits for that.

    ``containing``: only those whose line holds one of these words. Raises EvidenceError when the
    API server writes none down, or its log cannot be read.
    """
    try:
        lines = printed_since(cluster, cluster.control_plane, [_LOGS], moment, containing)
    except EvidenceError as error:
        raise EvidenceError(f"the log of the API server of {cluster.name}: {error}") from None
    return sorted(
        (one for one in parse(lines) if one.at >= moment),
        key=lambda one: one.at,
    )


def parse(lines: Iterable[str]) -> Iterator[ApiRequest]:
    """The requests that a container's log tells of, each once: a watch has a line for its begin
    and one for its end."""
    told: set[str] = set()
    for text in on_stdout(lines):
        event = _event(text)
        if event is not None and event["auditID"] not in told:
            told.add(event["auditID"])
            yield _request(event)


def _event(text: str) -> dict[str, Any] | None:
    try:
        event = json.loads(text)
    except ValueError:
        return None  # cut off, or something else that was printed
    is_one = isinstance(event, dict) and event.get("kind") == "Event" and "auditID" in event
    return event if is_one and event.get("stage") in _COMES_FIRST else None


def _request(event: dict[str, Any]) -> ApiRequest:
    about = event.get("objectRef") or {}
    parts = (about.get("resource", ""), about.get("subresource", ""))
    return ApiRequest(
        at=datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp(),
        user=event.get("user", {}).get("username", ""),
        sources=tuple(event.get("sourceIPs") or ()),
        verb=event.get("verb", ""),
        resource="/".join(part for part in parts if part),
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        path=event.get("requestURI", "").partition("?")[0],
        code=event.get("responseStatus", {}).get("code", 0),
    )
