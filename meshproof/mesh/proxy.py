"""What a proxy knows, asked of its own admin interface."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from meshproof.errors import EvidenceError
from meshproof.kube.spot import Spot

_ADMIN = "http://127.0.0.1:15000"
_STATISTIC = re.compile(r"(?P<name>[^\s:]+): (?P<value>\d+)")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of an Envoy cluster. ``weight``: its share among the cluster's endpoints."""

    address: str
    port: int
    weight: int
    healthy: bool


def admin(spot: Spot, path: str, method: str = "GET") -> str:
    """What the admin interface of the proxy in this pod answers.

    Raises EvidenceError when it does not.
    """
    url = f"{_ADMIN}/{path}"
    asked = spot.run("curl", "-sS", "-f", "-m", "10", "-X", method, url, check=False)
    if asked.returncode != 0:
        raise EvidenceError(f"the proxy of {spot} did not answer: {asked.stderr.strip()[-200:]}")
    return asked.stdout


def endpoints(spot: Spot, cluster: str) -> tuple[Endpoint, ...]:
    """The endpoints that the proxy has for an Envoy cluster, such as
    "outbound|5000||helloworld.sample.svc.cluster.local"; () when it has no such cluster."""
    listing = json.loads(admin(spot, "clusters?format=json"))
    for entry in listing.get("cluster_statuses", []):
        if entry["name"] == cluster:
            return tuple(_endpoint(host) for host in entry.get("host_statuses", []))
    return ()


def outbound(host: str, port: int, subset: str = "") -> str:
    """What Istio calls the Envoy cluster of a service's port (and subset)."""
    return f"outbound|{port}|{subset}|{host}"


def statistics(spot: Spot, pattern: str) -> dict[str, int]:
    """The proxy's counters and gauges whose name matches a regular expression."""
    text = admin(spot, "stats")
    found = (_STATISTIC.fullmatch(line.strip()) for line in text.splitlines())
    values = {match["name"]: int(match["value"]) for match in found if match}
    return {name: value for name, value in values.items() if re.search(pattern, name)}


def _endpoint(host: dict[str, Any]) -> Endpoint:
    address = host["address"].get("socket_address", {})
    health = host.get("health_status", {})
    return Endpoint(
        address=address.get("address", ""),
        port=int(address.get("port_value", 0)),
        weight=int(host.get("weight", 1)),
        healthy=health.get("eds_health_status") == "HEALTHY" and len(health) == 1,
    )
