"""What a container logged since a moment: waited is for a line, never for a time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from meshproof.errors import WaitTimeoutError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.wait import eventually

# A line's own time is when it was written, which is after it happened.
_SLACK = 2
# Proxies flush their logs at once, an older Istio's once a second, on a busy machine later.
_WITHIN = 15.0


@dataclass(frozen=True)
class Journal:
    """The log of a container from ``begin`` on. The nodes' clocks are this machine's."""

    cluster: RunningCluster
    namespace: str
    pod: str
    container: str
    begin: datetime

    def lines(self) -> list[str]:
        """What is there by now."""
        age = (datetime.now(UTC) - self.begin).total_seconds()
        with lab_errors(f"read the log of {self.pod} of {self.cluster.name}"):
            text = self.cluster.core.read_namespaced_pod_log(
                self.pod,
                self.namespace,
                container=self.container,
                since_seconds=math.ceil(age) + _SLACK,
                timestamps=True,
            )
        stamped = (line.partition(" ") for line in text.splitlines())
        since = self.begin.strftime("%Y-%m-%dT%H:%M:%S.%f")
        return [line for stamp, _, line in stamped if stamp >= since]

    def find(self, wanted: Callable[[str], bool], within: float = _WITHIN) -> list[str]:
        """The lines that are wanted, as soon as there is one; [] when none comes ``within`` s."""
        found: list[str] = []

        def look() -> bool:
            found[:] = [line for line in self.lines() if wanted(line)]
            return bool(found)

        with suppress(WaitTimeoutError):  # whoever needs a line judges that there is none
            eventually(look, what="a line in the log", within=within)
        return found

    def find_entry(self, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """The same for the lines of an access log in JSON."""
        lines = self.find(lambda line: (entry := _entry(line)) is not None and wanted(entry))
        return [entry for line in lines if (entry := _entry(line)) is not None]


def journal(
    cluster: RunningCluster, namespace: str, pod: str, container: str = "istio-proxy"
) -> Journal:
    """The log of a container from now on."""
    return Journal(cluster, namespace, pod, container, datetime.now(UTC))


def _entry(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        entry: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return None
    return entry
