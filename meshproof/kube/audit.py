"""Who asked what of a cluster's API server, as the server itself wrote it down.

Labs make their clusters with an audit policy (``meshproof/lab/audit-policy.yaml``, which tells
what is left out). The events go to the server's standard output, and so into its container's
log; a watch is written when it begins, everything else when it has been answered.
https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from meshproof.errors import EvidenceError
from meshproof.kube.cluster import RunningCluster

_LOGS = "/var/log/pods/kube-system_kube-apiserver-*/kube-apiserver"
# kubelet turns the log over at 10 MiB and packs the older parts. What was last written to before
# the moment holds nothing of what came after it.
_READ = f'find {_LOGS} -type f -newermt "@$1" -exec zcat -f {{}} +'
_COMES_FIRST = ("ResponseStarted", "ResponseComplete", "Panic")
_SLACK = 1.0
"""Seconds that a log's date may lag behind its content."""


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


def requests_since(cluster: RunningCluster, moment: float) -> list[ApiRequest]:
    """The requests that came in since ``moment`` (seconds since the epoch) and were written down
    so far, in that order. The line of one that was answered just now may follow a little later:
    whoever claims that something was not asked makes a request afterwards, and waits for that.

    Raises EvidenceError when the API server writes none down, or its log cannot be read.
    """
    found = cluster.on_node(
        cluster.control_plane, "sh", "-c", _READ, "sh", f"{moment - _SLACK:.3f}", check=False
    )
    if found.returncode != 0:
        said = found.stderr.strip()[-200:]
        raise EvidenceError(f"the log of the API server of {cluster.name} cannot be read ({said})")
    return sorted(
        (one for one in parse(found.stdout.splitlines()) if one.at >= moment),
        key=lambda one: one.at,
    )


def parse(lines: Iterable[str]) -> Iterator[ApiRequest]:
    """The requests that a container's log tells of, each once: a watch has a line for its begin
    and one for its end."""
    told: set[str] = set()
    for text in _stdout(lines):
        event = _event(text)
        if event is not None and event["auditID"] not in told:
            told.add(event["auditID"])
            yield _request(event)


def _stdout(lines: Iterable[str]) -> Iterator[str]:
    """What was printed on standard output, line by line; the runtime cuts long ones to pieces."""
    pieces: list[str] = []
    for line in lines:
        _, stream, whole, text = [*line.split(" ", 3), "", "", ""][:4]
        if stream != "stdout":
            continue
        pieces.append(text)
        if whole != "P":
            yield "".join(pieces)
            pieces.clear()


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
