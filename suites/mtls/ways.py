"""Where a caller without a sidecar has to knock to come to a helloworld pod."""

from __future__ import annotations

from ipaddress import IPv4Address

from meshproof.kube.workload import Workload
from meshproof.mesh.gateways import GATEWAY_PORT
from meshproof.workloads.sample import PORT, Sample

Door = tuple[IPv4Address, int]


def door(sample: Sample, caller: str, server: Workload) -> Door:
    """The address and port by which a cluster reaches a pod: the pod's own, or its gateway's."""
    if sample.mesh.deployment.topology.same_network(caller, server.cluster):
        return server.address, PORT
    gateway = sample.mesh.gateway(server.cluster)
    assert gateway is not None, f"{server.cluster} has no gateway, and is on another network"
    return gateway, GATEWAY_PORT
