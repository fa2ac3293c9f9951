"""Who there is in a world: clusters of a deployment, the pods in them, and what they are called
by."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from meshproof.artifacts import Bundle
from meshproof.events import Recorder
from meshproof.files import topology_named
from meshproof.kube.workload import NODE_PROBE, NODE_PROBE_NAMESPACE, Workload
from meshproof.lab import Lab
from meshproof.lab.machine import RunningMachine
from meshproof.lab.network.counters import Counters, FlowKey
from meshproof.mesh.exposure import ways_of
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh, Way
from meshproof.mesh.operator_config import GATEWAY
from meshproof.mesh.proxy import Endpoint
from meshproof.model import Deployment, Exposure, Mtls, Version
from meshproof.model.machine import sites
from meshproof.process import Shell
from meshproof.workloads.sample import (
    HELLOWORLD,
    NAMESPACE,
    OUTSIDE,
    PORT,
    SLEEP,
    Sample,
)
from tests.doubles.played import PlayedCluster, PlayedMachine, PlayedPod, Player


class Addresses:
    """What a lab gives as LoadBalancer addresses: the gateway's is .200 of its network."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.given: tuple[IPv4Address, ...] = ()

    def reserve(self, namespace: str, service: str) -> IPv4Address:
        assert (namespace, service) == (SYSTEM, GATEWAY)
        return IPv4Address(f"172.30.{self.number}.200")


class Population:
    """The clusters of a deployment, the workloads that the sample has in them, and what router and
    nodes have counted (``packets``, ``flows``)."""

    def __init__(self, topology: str, mtls: Mtls, variants: Iterable[str]) -> None:
        self.lock = threading.RLock()
        described = topology_named(topology)
        revision = "canary" if "revision" in variants else ""
        versions = dict.fromkeys(described.names, Version(1, 31, 1))
        self.deployment = Deployment(
            described, versions, Version(1, 36, 3), mtls, frozenset(variants), revision
        )
        self.clusters = {
            one.name: PlayedCluster(one.cluster, number, cast(Player, self))
            for number, one in enumerate(described.members, 1)
        }
        self.flows = Counter[tuple[str, str, FlowKey]]()
        self.packets = Counter[tuple[str, str]]()
        self.lab = SimpleNamespace(
            clusters=self.clusters,
            recorder=Recorder(),
            shell=Shell(),
            addresses={name: Addresses(n) for n, name in enumerate(self.clusters, 1)},
            subnets={},
            counters=self.counted,
        )
        lab, bundle = cast(Lab, self.lab), cast(Bundle, SimpleNamespace(images={}))
        self.mesh = Mesh(lab, self.deployment, bundle, Path("nowhere"), {})
        self.pods = self._pods()
        self.sample = Sample(self.mesh)
        self.machines = self._machines()
        vars(self.sample)["machines"] = self.machines

    def _pods(self) -> list[PlayedPod]:
        found = []
        placed = Counter[str]()

        def pod(cluster: str, name: str, namespace: str, account: str, **more: Any) -> None:
            running = self.clusters[cluster]
            placed[cluster] += 1
            # The first few addresses are the node's own.
            address = running.spec.pods[4 + placed[cluster]]
            found.append(
                PlayedPod(
                    name,
                    namespace,
                    running,
                    running.nodes[0],
                    address,
                    account=account,
                    player=cast(Player, self),
                    **more,
                )
            )

        topology = self.deployment.topology
        for one in topology.placements:
            for number in range(one.replicas):
                name = f"{HELLOWORLD}-{one.version}-{number}"
                pod(one.cluster, name, NAMESPACE, HELLOWORLD, version=one.version, sidecar=True)
        for member in topology.members:
            if member.name in topology.workloads:
                pod(member.name, f"{SLEEP}-{member.name}", NAMESPACE, SLEEP, sidecar=True)
            if member.gateway is not None:
                pod(member.name, f"{GATEWAY}-{member.name}", SYSTEM, f"{GATEWAY}-service-account")
            pod(member.name, f"{SLEEP}-outside-{member.name}", OUTSIDE, SLEEP)
        return found + [self._node_probe(one) for one in self.clusters.values()]

    def _machines(self) -> dict[str, PlayedMachine]:
        """The machines, each at an address of its own, by name."""
        topology = self.deployment.topology
        return {
            one.name: PlayedMachine(
                one,
                cast(RunningMachine, SimpleNamespace(name=one.name)),
                site.beside,
                NAMESPACE,
                where=IPv4Address(f"172.30.9.{number}"),
                player=cast(Player, self),
            )
            for number, (one, site) in enumerate(
                zip(topology.machines, sites(topology), strict=True), 2
            )
        }

    def _node_probe(self, cluster: PlayedCluster) -> PlayedPod:
        """What asks from a cluster's node."""
        node, name = cluster.nodes[0], f"{NODE_PROBE}-{cluster.name}"
        where = (NODE_PROBE_NAMESPACE, cluster, node, node.address)
        return PlayedPod(name, *where, player=cast(Player, self))

    def listed(self, cluster: Any, app: str, namespace: str, container: str = "") -> list[Workload]:
        """In place of ``kube.workload.list_workloads``."""
        return [
            one
            for one in self.pods
            if (one.cluster, one.namespace) == (cluster.name, namespace)
            and one.name.startswith(f"{app}-")
        ]

    def found(self, cluster: Any, app: str, namespace: str, container: str = "") -> Workload:
        """In place of ``kube.workload.find_workload``."""
        return self.listed(cluster, app, namespace)[0]

    def servers(self, *versions: str) -> list[PlayedPod]:
        """Whoever is helloworld, pods and machines, of some versions or of all."""
        machines = [cast(PlayedPod, one) for one in self.machines.values()]
        there = [one for one in (*self.pods, *machines) if one.version]
        return [one for one in there if not versions or one.version in versions]

    def pod(self, app: str, cluster: str, namespace: str = NAMESPACE) -> PlayedPod:
        """The one pod of an app in a cluster."""
        return cast(PlayedPod, self.found(self.clusters[cluster], app, namespace))

    def exposed(self, host: str) -> Exposure | None:
        """The service that a mesh exposes under a name, if one does."""
        return next((one for one in self.deployment.topology.exposes if one.host == host), None)

    def exposed_endpoints(self, pod: PlayedPod, exposure: Exposure) -> list[Endpoint]:
        """What is known of an exposed service: its pods at home, and elsewhere the gateways."""
        providers = self.deployment.topology.providers(exposure)
        if pod.cluster in providers:
            near = [one for one in self.servers() if one.cluster == pod.cluster]
            return [Endpoint(str(one.address), PORT, 1, True) for one in near]
        ways = ways_of(self.mesh, exposure)
        return [Endpoint(str(way.address), way.port, 1, True) for way in ways]

    def clusters_listed(self, control_plane: str) -> list[object]:
        """The clusters that an istiod reads, its own among them."""
        topology = self.deployment.topology
        own = topology.config_cluster(control_plane)
        names = [own, *topology.reads(control_plane)]
        return [{"id": name, "syncStatus": "synced"} for name in names]

    def gateway(self, cluster: str) -> PlayedPod:
        return self.pod(GATEWAY, cluster, SYSTEM)

    def gateways(self) -> list[PlayedPod]:
        """The pods of all gateways."""
        return [one for one in self.pods if one.name.startswith(f"{GATEWAY}-")]

    def leads(self, gateway: PlayedPod, way: Way) -> bool:
        """Whether a gateway is what is called at an address."""
        return way.address == self.way(gateway.cluster).address

    def way(self, cluster: str) -> Way:
        """Where a cluster's own gateway is called."""
        return self.mesh.ways_to(cluster)[cluster]

    def identity(self, pod: Workload) -> str:
        return self.deployment.topology[pod.cluster].mesh.identity(pod.namespace, pod.account)

    def counted(self) -> Counters:
        """What router and nodes have counted: whatever is HTTP in plain text is plain text."""
        with self.lock:
            plain = Counter(
                {
                    (place, "plain", flow): count
                    for (place, kind, flow), count in self.flows.items()
                    if kind == "http"
                }
            )
            return Counters(dict(self.packets), dict(self.flows + plain))
