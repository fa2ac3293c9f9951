"""Where a caller without a sidecar has to knock to come to a helloworld pod."""

from __future__ import annotations

from ipaddress import IPv4Address

from meshproof.mesh.gateways import GATEWAY_PORT, gateway_spot
from meshproof.mesh.manifests import SYSTEM
from meshproof.traffic.turned_away import Doorkeeper
from meshproof.workloads.sample import NAMESPACE, PORT, Sample, Server

Door = tuple[IPv4Address, int]


def door(sample: Sample, caller: str, server: Server) -> Door:
    """The address and port by which a cluster reaches a pod: the pod's own, or its gateway's."""
    if sample.mesh.deployment.topology.same_network(caller, server.cluster):
        return IPv4Address(server.address), PORT
    gateway = sample.mesh.gateway(server.cluster)
    assert gateway is not None, f"{server.cluster} has no gateway, and is on another network"
    return gateway, GATEWAY_PORT


def workload(sample: Sample, server: Server) -> Doorkeeper:
    """The proxy before a helloworld pod."""
    return Doorkeeper(sample.mesh.cluster(server.cluster), NAMESPACE, server.pod)


def gateway(sample: Sample, cluster: str) -> Doorkeeper:
    """The east-west gateway of a cluster. Raises LabError when none runs."""
    spot = gateway_spot(sample.mesh, cluster)
    return Doorkeeper(spot.cluster, SYSTEM, spot.name)
