"""What a proxy knows, asked of its own admin interface."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from meshproof.kube.workload import Workload

_STATISTIC = re.compile(r"(?P<name>[^\s:]+): (?P<value>\d+)")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of an Envoy cluster. ``weight``: its share among the cluster's endpoints;
    ``priority``: 0 for those that are called first; ``locality``: region, zone and subzone with
    slashes between them, "" where nothing says."""

    address: str
    port: int
    weight: int
    healthy: bool
    priority: int = 0
    locality: str = ""


def endpoints(workload: Workload, cluster: str) -> tuple[Endpoint, ...]:
    """The endpoints that the proxy has for an Envoy cluster, such as
    "outbound|5000||helloworld.sample.svc.cluster.local"; () when it has no such cluster.

    Raises EvidenceError when the proxy does not answer.
    """
    return tuple(map(_endpoint, _hosts(workload, cluster)))


def connections(workload: Workload, cluster: str) -> dict[int, int]:
    """How many connections the proxy holds to the endpoints of an Envoy cluster, by their port; {}
    when it has no such cluster.

    Raises EvidenceError when the proxy does not answer.
    """
    held: dict[int, int] = {}
    for host in _hosts(workload, cluster):
        port = _endpoint(host).port
        active = (one for one in host.get("stats", []) if one.get("name") == "cx_active")
        held[port] = held.get(port, 0) + sum(int(one.get("value", 0)) for one in active)
    return held


def _hosts(workload: Workload, cluster: str) -> list[dict[str, Any]]:
    listing = json.loads(workload.admin("clusters?format=json"))
    for entry in listing.get("cluster_statuses", []):
        if entry["name"] == cluster:
            hosts: list[dict[str, Any]] = entry.get("host_statuses", [])
            return hosts
    return []


def outbound(host: str, port: int, subset: str = "") -> str:
    """What Istio calls the Envoy cluster of a service's port (and subset)."""
    return f"outbound|{port}|{subset}|{host}"


def statistics(workload: Workload, pattern: str) -> dict[str, int]:
    """The proxy's counters and gauges whose name matches a regular expression.

    Raises EvidenceError when the proxy does not answer.
    """
    text = workload.admin("stats")
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
        priority=int(host.get("priority", 0)),
        locality=_locality(host.get("locality", {})),
    )


def _locality(told: dict[str, str]) -> str:
    parts = (told.get(part, "") for part in ("region", "zone", "sub_zone"))
    return "/".join(parts).rstrip("/")
