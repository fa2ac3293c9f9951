"""What proxies, istiods, logs and DNS would say of a mesh in memory that is as it should be.

Endpoints and statistics are as Envoy's admin interface writes them.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Any

from meshproof.kube.names import NameAnswer
from meshproof.kube.workload import Workload
from meshproof.mesh.exposure import address_of
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.mesh import Way
from meshproof.mesh.proxy import Endpoint, outbound
from meshproof.mesh.routes import host_of
from meshproof.model import Mtls
from meshproof.model.exposure import ZONE
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, PORT
from tests.claims.population import Population
from tests.doubles.played import PlayedPod

NXDOMAIN = NameAnswer("NXDOMAIN")


class Told(Population):
    """``known``: the endpoints that a proxy has of a service, and of a subset; ``further``: those
    that it has of other services, by their full names; ``stats``: a proxy's statistics; ``unread``:
    connections that pods pass on unread, by port; ``zones``: the locality of a pod that has one;
    ``debug``: what the istiod in a cluster says."""

    def __init__(self, topology: str, mtls: Mtls, variants: Iterable[str]) -> None:
        super().__init__(topology, mtls, variants)
        self.known: Callable[[PlayedPod, str, str], list[Endpoint]] = self.endpoints
        self.further: dict[str, Callable[[PlayedPod], list[Endpoint]]] = {}
        self.stats: dict[str, Counter[str]] = defaultdict(Counter)
        self.unread: dict[str, dict[int, int]] = {}
        self.lines: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
        self.levels: dict[str, str] = {}
        self.dumps: dict[str, Sequence[Mapping[str, object]]] = defaultdict(list)
        self.pages: dict[str, Callable[[PlayedPod], str]] = {}
        self.names: Callable[[Workload, str], NameAnswer] = self.resolved
        self.zones: dict[str, str] = {}
        self.debug: dict[str, Callable[[str], Any]] = {
            "endpointShardz": self._shards,
            "networkz": self._gateways_known,
            "clusterz": self.clusters_listed,
        }

    def admin(self, pod: PlayedPod, path: str, method: str) -> str:
        what, _, query = path.partition("?")
        if what == "clusters":
            return json.dumps({"cluster_statuses": self._statuses(pod)})
        if what == "stats":
            still = "listener_manager.total_listeners_draining: 0"
            told = [f"{name}: {value}" for name, value in self.stats[pod.name].items()]
            return "\n".join([still, *told])
        if what == "logging":
            level = query.partition("=")[2] or self.levels.get(pod.name, "warning")
            self.levels[pod.name] = level
            return f"active loggers:\n  connection: {level}\n"
        if what == "config_dump":
            return json.dumps({"configs": self.dumps[pod.name]})
        if what in self.pages:
            return self.pages[what](pod)
        raise AssertionError(f"nobody plays {path} of {pod}")

    def _statuses(self, pod: PlayedPod) -> list[dict[str, object]]:
        subsets = ["", *self.deployment.topology.versions]
        names = {outbound(HOST, PORT, one): self.known(pod, HELLOWORLD, one) for one in subsets}
        for version in self.deployment.topology.versions:
            own = outbound(host_of(f"only-{version}", NAMESPACE), PORT)
            names[own] = self.known(pod, HELLOWORLD, version)
        for one in self.deployment.topology.exposes:
            names[outbound(one.host, PORT)] = self.known(pod, one.host, "")
            names[sni_of(one.host, PORT)] = self.known(pod, one.host, "")
        names |= {outbound(host, PORT): known(pod) for host, known in self.further.items()}
        held: list[dict[str, object]] = [
            {**_status(Endpoint(str(pod.address), port, 1, True)), "stats": [_held(count)]}
            for port, count in self.unread.get(pod.name, {}).items()
        ]
        unread: dict[str, object] = {"name": "InboundPassthroughCluster", "host_statuses": held}
        known_to: list[dict[str, object]] = [
            {"name": name, "host_statuses": [_status(one) for one in known]}
            for name, known in names.items()
        ]
        return [unread, *known_to]

    def endpoints(self, pod: PlayedPod, service: str, version: str) -> list[Endpoint]:
        """What a proxy should know of helloworld, or of one version of it."""
        topology, found = self.deployment.topology, Counter[Way]()
        if (exposure := self.exposed(service)) is not None:
            return self.exposed_endpoints(pod, exposure)
        for server in self.servers(*([version] if version else [])):
            if topology.knows(pod.cluster, server.cluster):
                ways = self.sample.ways(pod.cluster, server)
                found.update(dict.fromkeys(ways, 1))
        return [Endpoint(str(way.address), way.port, n, True) for way, n in sorted(found.items())]

    def say(self, pod: Workload, line: str) -> None:
        """A line in the log of a pod's proxy, now."""
        with self.lock:
            self.lines[pod.name].append((datetime.now(UTC), line))

    def log(self, pod: PlayedPod, container: str, options: dict[str, Any]) -> str:
        with self.lock:
            lines = self.lines[pod.name][-options.get("tail_lines", 10**6) :]
        stamped = bool(options.get("timestamps"))
        shown = (f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z {line}" if stamped else line for at, line in lines)
        return "".join(f"{one}\n" for one in shown)

    def resolved(self, pod: Workload, name: str) -> NameAnswer:
        """What a pod should be told of a name: helloworld is in every cluster, else there is what
        its own has alone; a sidecar with the DNS proxy knows the services of all."""
        here, proxied = pod.cluster, pod.name.startswith(DNS_SLEEP)
        topology = self.deployment.topology
        if (exposure := self.exposed(name)) is not None:
            known = proxied and here in topology.importers(exposure)
            found = NameAnswer("NOERROR", (address_of(topology, exposure),))
            return found if known else NXDOMAIN
        if name.endswith(f".{ZONE}"):
            return NXDOMAIN
        versions = self.sample.versions if proxied else self.sample.versions_in(here)
        own = [f"{HELLOWORLD}-{one}.{NAMESPACE}." for one in versions]
        own += [f"{HELLOWORLD}.only-{here}.", f"{HELLOWORLD}.{NAMESPACE}.", "kubernetes.default."]
        if any(name.startswith(one) for one in own):
            return NameAnswer("NOERROR", (IPv4Address("10.110.0.7"),))
        return NXDOMAIN

    def istiod(self, mesh: Any, control_plane: str, page: str) -> Any:
        """In place of ``mesh.istiod.ask_istiod``."""
        return self.debug[page](control_plane)

    def _shards(self, control_plane: str) -> dict[str, object]:
        """The endpoints that an istiod has read, as pilot/pkg/model/endpointshards.go has them."""
        shards: dict[str, list[object]] = defaultdict(list)
        for one in self.servers():
            if self.deployment.topology.knows(control_plane, one.cluster):
                where = {"Label": self.zones.get(one.name, ""), "ClusterID": one.cluster}
                for port in (PORT, 9000):
                    told = {"Addresses": [str(one.address)], "EndpointPort": port}
                    shards[f"Kubernetes/{one.cluster}"].append(told | {"Locality": where})
        return {HOST: {NAMESPACE: {"Shards": shards, "ServiceAccounts": {}}}}

    def _gateways_known(self, control_plane: str) -> list[object]:
        topology = self.deployment.topology
        own = [one for one in self.gateways() if topology.knows(control_plane, one.cluster)]
        ways = {one.cluster: self.way(one.cluster) for one in own}
        return [
            {
                "Network": self.deployment.topology[name].network,
                "Cluster": name,
                "Addr": str(way.address),
                "Port": way.port,
            }
            for name, way in ways.items()
        ]

    def asked(self, pod: Workload, name: str, server: IPv4Address) -> NameAnswer:
        """In place of ``kube.names.ask_name``."""
        return self.names(pod, name)


def _held(count: int) -> dict[str, object]:
    """Envoy leaves out a value of 0."""
    return {"type": "GAUGE", "name": "cx_active", **({"value": str(count)} if count else {})}


def _status(one: Endpoint) -> dict[str, object]:
    parts = zip(("region", "zone", "sub_zone"), one.locality.split("/"), strict=False)
    return {
        "locality": {part: value for part, value in parts if value},
        "address": {"socket_address": {"address": one.address, "port_value": one.port}},
        "health_status": {"eds_health_status": "HEALTHY" if one.healthy else "UNHEALTHY"},
        "weight": one.weight,
        "priority": one.priority,
    }
