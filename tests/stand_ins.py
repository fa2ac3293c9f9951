"""Workloads that run nowhere."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from types import SimpleNamespace
from typing import cast

from meshproof.kube import Node, RunningCluster
from meshproof.kube.workload import PodWorkload

_NODE = Node("node", IPv4Address("172.30.0.2"), IPv4Network("10.0.0.0/16"), control_plane=True)


def workload(name: str, cluster: str, version: str = "", address: str = "10.10.0.5") -> PodWorkload:
    """A pod of the namespace "sample"."""
    running = cast(RunningCluster, SimpleNamespace(name=cluster))
    where = IPv4Address(address)
    return PodWorkload(name, "sample", running, _NODE, where, version=version)
