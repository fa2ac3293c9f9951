"""A spot on the network: a node's or a pod's network namespace, in which programs can be run."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from meshproof.errors import LabError
from meshproof.kube.cluster import Node, RunningCluster
from meshproof.process import Finished

# containerd's shim notes its container's first process here, on the node; asking containerd
# itself costs a program of its own each time.
_INIT_PID = "run/containerd/io.containerd.runtime.v2.task/k8s.io/{}/init.pid"


@dataclass(frozen=True)
class Spot:
    """Where something is sent from, or arrives. ``pid``: of a process in a pod, as its node
    sees it; None for the node itself."""

    name: str
    cluster: RunningCluster
    node: Node
    address: IPv4Address
    pid: int | None = None

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 30
    ) -> Finished:
        """Run one of the node's programs in this spot's network namespace."""
        enter = () if self.pid is None else ("nsenter", "-t", str(self.pid), "-n")
        return self.cluster.on_node(
            self.node, *enter, *argv, input=input, check=check, timeout=timeout
        )

    def inside(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 60
    ) -> Finished:
        """Run one of the pod's own programs where its container runs: its files, its DNS.

        As `kubectl exec` would, without its 100 ms. For a pod's spot only.
        """
        enter = ("nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p")
        return self.cluster.on_node(
            self.node, *enter, *argv, input=input, check=check, timeout=timeout
        )

    def __str__(self) -> str:
        return f"{self.name} of {self.cluster.name} ({self.address})"


def node_spot(cluster: RunningCluster) -> Spot:
    """The control plane node of a cluster."""
    node = cluster.control_plane
    return Spot("node", cluster, node, node.address)


def pod_spot(
    cluster: RunningCluster, namespace: str, name: str, container: str | None = None
) -> Spot:
    """A running pod. ``container``: the one whose process the spot is; by default the first.

    Raises LabError when that container does not run on its node.
    """
    pod = cluster.core.read_namespaced_pod(name, namespace)
    node = cluster.node_of(pod)
    states = [*(pod.status.container_statuses or []), *(pod.status.init_container_statuses or [])]
    chosen = [state for state in states if container in (None, state.name)]
    identity = (chosen[0].container_id or "" if chosen else "").removeprefix("containerd://")
    noted = cluster.file_on_node(node, _INIT_PID.format(identity)) if identity else None
    if noted is None:
        where = f"on {node.container}"
        raise LabError(f"pod {namespace}/{name} of {cluster.name} has no process {where}")
    return Spot(name, cluster, node, IPv4Address(pod.status.pod_ip), int(noted))
