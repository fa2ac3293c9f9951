"""What the isolation suites ask for in another cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address

from meshproof.kube import RunningCluster
from meshproof.lab import Lab
from meshproof.model import Pair
from meshproof.traffic import PATIENT, Attempt, Target, attempt
from meshproof.traffic.probe import BRIEF
from meshproof.workloads import Echo
from meshproof.workloads.echo import (
    CLOSED_GATEWAY_PORT,
    GATEWAY_PORTS,
    GATEWAY_SERVICE,
    HIGH,
    LOW,
    NAMESPACE,
    UDP_PORTS,
)

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


def asked_at_the_gateway(
    lab: Lab,
    echoes: Mapping[str, Echo],
    pair: Pair,
    ports: Sequence[int] = GATEWAY_PORTS,
    elsewhere: float = BRIEF,
) -> tuple[list[Attempt], Attempt]:
    """Questions of a pod to the other cluster's gateway: at ports that gateways have, and at one
    that they have not. ``elsewhere``: seconds to wait for an answer there, PATIENT where one should
    come."""
    caller, called = (echoes[name].pod for name in pair)
    with gateway_address(lab, pair[1]) as address:
        own = [Target("the gateway", address, port) for port in ports]
        tried = [attempt(lab, caller, one, called, patience=PATIENT) for one in own]
        other = Target("the gateway", address, CLOSED_GATEWAY_PORT)
        return tried, attempt(lab, caller, other, called, patience=elsewhere)


def outside_target() -> Target:
    """An address that nobody has, of a range for documents
    (https://www.rfc-editor.org/rfc/rfc5737)."""
    return Target("an address outside", IPv4Address("198.51.100.9"), LOW)


def api_target(cluster: RunningCluster) -> Target:
    """The API server."""
    return Target("the API server", cluster.control_plane.address, API_SERVER)
