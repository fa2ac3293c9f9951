"""What a server's proxy says of connections that it did not take, in its own log."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from meshproof.errors import WaitTimeoutError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.kube.spot import Spot, pod_spot
from meshproof.mesh.proxy import admin
from meshproof.wait import eventually

PROXY = "istio-proxy"
UNMATCHED = "filter_chain_not_found"
"""Envoy's response code detail where no filter chain takes a connection; the flag is NR."""
_TAIL = 400
_REMOTE = re.compile(r"remote address:([0-9.]+:\d+),(.*)")


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A connection that was not taken: from where, and why. ``source``: "address:port"."""

    source: str
    why: str

    @property
    def address(self) -> str:
        """The address part of ``source``."""
        return self.source.rpartition(":")[0]


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """A pod whose proxy turns away: a workload or a gateway."""

    cluster: RunningCluster
    namespace: str
    pod: str

    @property
    def spot(self) -> Spot:
        """The pod on its network."""
        return pod_spot(self.cluster, self.namespace, self.pod)

    def log(self) -> list[TurnedAway]:
        """Whom its log says it has turned away, as far as the log's end tells."""
        with lab_errors(f"read the log of {self.pod} of {self.cluster.name}"):
            text = self.cluster.core.read_namespaced_pod_log(
                self.pod, self.namespace, container=PROXY, tail_lines=_TAIL
            )
        return read_log(text)

    def await_log(
        self, enough: Callable[[Sequence[TurnedAway]], bool], within: float = 15.0
    ) -> list[TurnedAway]:
        """The same, once it has enough, or after ``within`` seconds: logs are written late."""
        seen: list[TurnedAway] = []

        def look() -> bool:
            seen[:] = self.log()
            return enough(seen)

        with suppress(WaitTimeoutError):  # what is missing is judged by whoever needs it
            eventually(look, what="lines in the proxy's log", within=within)
        return seen

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Inside the block the proxy logs why TLS handshakes fail, which it does not by default:
        its access log has only connections that have passed them."""
        spot = self.spot
        admin(spot, "logging?connection=debug", method="POST")
        try:
            yield
        finally:
            admin(spot, "logging?connection=warning", method="POST")


def read_log(text: str) -> list[TurnedAway]:
    """Read a proxy's log: lines of the access log without a filter chain, and failed handshakes
    in Envoy's debug log."""
    found = []
    for raw in text.splitlines():
        if raw.startswith("{"):
            entry = _entry(raw)
            if entry.get("details") == UNMATCHED:
                why = f"{entry.get('flags')} {UNMATCHED}: {entry.get('failure')}"
                found.append(TurnedAway(str(entry.get("downstream")), why))
        elif match := _REMOTE.search(raw):
            found.append(TurnedAway(match.group(1), match.group(2)))
    return found


def _entry(raw: str) -> dict[str, object]:
    try:
        entry = json.loads(raw)
    except json.JSONDecodeError:
        return {}
    return entry if isinstance(entry, dict) else {}
