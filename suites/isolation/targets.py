"""What the isolation suites ask for in another cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

from meshproof.kube import RunningCluster
from meshproof.lab import Lab
from meshproof.traffic import Target
from meshproof.workloads import Echo
from meshproof.workloads.echo import GATEWAY_SERVICE, HIGH, LOW, NAMESPACE, UDP_PORTS

KUBELET, API_SERVER = 10250, 6443


def pod_targets(echo: Echo) -> list[Target]:
    """The pod of an echo: TCP and UDP, on low and high ports."""
    address = echo.pod.address
    tcp = [Target("the pod", address, port, "tcp") for port in (LOW, HIGH)]
    return tcp + [Target("the pod", address, port, "udp") for port in UDP_PORTS]


def service_target(echo: Echo) -> Target:
    """The ClusterIP of the echo's Service."""
    return Target("the Service", echo.service, LOW)


def node_port_target(echo: Echo) -> Target:
    """The NodePort of the echo's Service."""
    return Target("the NodePort", echo.pod.node.address, echo.node_port)


def kubelet_target(cluster: RunningCluster) -> Target:
    """The kubelet of the control plane node."""
    return Target("the kubelet", cluster.control_plane.address, KUBELET)


@contextmanager
def gateway_address(lab: Lab, cluster: str) -> Iterator[IPv4Address]:
    """An address of the echo's gateway Service, which is taken back: a mesh may come next."""
    addresses = lab.addresses[cluster]
    try:
        yield addresses.give(NAMESPACE, GATEWAY_SERVICE)
    finally:
        addresses.take_back(NAMESPACE, GATEWAY_SERVICE)


def api_target(cluster: RunningCluster) -> Target:
    """The API server."""
    return Target("the API server", cluster.control_plane.address, API_SERVER)
