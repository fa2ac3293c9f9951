"""A workload: what calls, or is called, and what may be asked of it; and a running pod as one.

What a pod is asked goes through the API, so that it is the same on clusters of any kind.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any, Protocol

from meshproof.errors import LabError
from meshproof.kube import client, execution, forward
from meshproof.kube.cluster import Node, RunningCluster
from meshproof.kube.foreign import OWN_NAMESPACE
from meshproof.kube.seam import lab_errors
from meshproof.process import Finished

PROXY = "istio-proxy"
"""The container of a workload's proxy."""
TRUST_DOMAIN = "cluster.local"
NODE_PROBE, NODE_PROBE_NAMESPACE = "node-probe", "meshproof"
"""What asks from nodes (``node_probes``)."""
_ADMIN = 15000


class Workload(Protocol):
    """Something to send from and to ask of: a pod, or a machine outside Kubernetes."""

    @property
    def name(self) -> str:
        """Its own name, by which it answers."""

    @property
    def namespace(self) -> str:
        """The namespace that it counts as part of."""

    @property
    def cluster(self) -> str:
        """The name of its cluster: of a machine, of the one that serves it."""

    @property
    def place(self) -> str:
        """The network that it is on, as the lab's counters call it."""

    @property
    def address(self) -> IPv4Address:
        """Its own address."""

    @property
    def seen_as(self) -> frozenset[IPv4Address]:
        """The addresses that its packets may bear."""

    @property
    def account(self) -> str:
        """Its service account."""

    @property
    def version(self) -> str:
        """The version of what it serves, "" without one."""

    @property
    def sidecar(self) -> bool:
        """Whether a proxy stands before it."""

    @property
    def identity(self) -> str:
        """Its SPIFFE URI, as https://istio.io/latest/docs/concepts/security/ has it."""

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 60
    ) -> Finished:
        """Run one of its own programs where it is: its files, its DNS, its network.

        Raises CommandError when ``check`` and the exit code is not 0, CommandTimeoutError when it
        takes longer than ``timeout`` seconds, LabError or EngineError when it cannot be run.
        """

    def admin(self, path: str, method: str = "GET") -> str:
        """What the admin interface of its proxy answers. Raises EvidenceError when that does not,
        LabError or EngineError when it cannot be reached."""

    def log(self, *, tail_lines: int) -> str:
        """The last lines that its proxy has logged. Raises LabError or EngineError."""


@dataclass(frozen=True)
class PodWorkload:
    """A pod, as a workload.

    ``running``: its cluster; ``container``: the one in which programs are run; ``account``: its
    service account; ``version``: its label, "" without one; ``sidecar``: whether a proxy stands
    before it.
    """

    name: str
    namespace: str
    running: RunningCluster = field(repr=False)
    node: Node
    address: IPv4Address
    container: str = ""
    account: str = ""
    version: str = ""
    sidecar: bool = False
    trust_domain: str = TRUST_DOMAIN

    @property
    def cluster(self) -> str:
        """The name of its cluster."""
        return self.running.name

    @property
    def place(self) -> str:
        """The same: its network is called after it."""
        return self.running.name

    @property
    def seen_as(self) -> frozenset[IPv4Address]:
        """Its own address, which it keeps within its network, and its node's, beyond."""
        return frozenset({self.address, self.node.address})

    @property
    def identity(self) -> str:
        """Its SPIFFE URI, as https://istio.io/latest/docs/concepts/security/ has it."""
        return spiffe(self.namespace, self.account, self.trust_domain)

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 60
    ) -> Finished:
        """Run one of its own programs where its container runs: its files, its DNS, its network.

        Raises CommandError when ``check`` and the exit code is not 0, CommandTimeoutError when it
        takes longer than ``timeout`` seconds, LabError when it cannot be run.
        """
        return execution.run(self._inside, *argv, input=input, check=check, timeout=timeout)

    def start(self, *argv: str) -> AbstractContextManager[execution.Session]:
        """One of its own programs runs inside the block, and is spoken to. Raises LabError."""
        return execution.started(self._inside, *argv)

    def fetch(self, port: int, path: str, method: str = "GET") -> str:
        """What one of its ports answers to an HTTP request from inside its pod. Raises
        EvidenceError when nobody there answers, LabError when the pod cannot be reached."""
        return forward.fetch(self.running, self.namespace, self.name, port, path, method=method)

    def admin(self, path: str, method: str = "GET") -> str:
        """What the admin interface of its proxy answers. Raises as ``fetch``."""
        return self.fetch(_ADMIN, path, method)

    def log(self, container: str = PROXY, **options: Any) -> str:
        """What one of its containers has logged. ``options``: as the API's, such as
        ``tail_lines``. Raises LabError."""
        with lab_errors(f"read the log of {self}"):
            text: str = self.running.core.read_namespaced_pod_log(
                self.name, self.namespace, container=container, **options
            )
        return text

    @property
    def _inside(self) -> execution.Container:
        return execution.Container(self.running, self.namespace, self.name, self.container)

    def __str__(self) -> str:
        return f"{self.name} of {self.cluster} ({self.address})"


def spiffe(namespace: str, account: str, trust_domain: str = TRUST_DOMAIN) -> str:
    """The identity of a service account, as https://istio.io/latest/docs/concepts/security/ has
    it."""
    return f"spiffe://{trust_domain}/ns/{namespace}/sa/{account}"


def node_probe(cluster: RunningCluster) -> PodWorkload:
    """What asks from the control plane node of a cluster, in the node's own network namespace; in
    a foreign cluster from a pod that is in no mesh, since its nodes are not ours.

    Raises LabError when it does not run.
    """
    if cluster.foreign is not None:
        return find_workload(cluster, NODE_PROBE, OWN_NAMESPACE)
    where = cluster.control_plane
    for one in list_workloads(cluster, NODE_PROBE, NODE_PROBE_NAMESPACE):
        if one.node == where:
            return one
    raise LabError(f"no probe runs on {where.container}")


def pod_workload(
    cluster: RunningCluster, pod: client.V1Pod, container: str | None = None
) -> PodWorkload:
    """A pod that has an address. ``container``: the one that programs are run in; by default the
    first."""
    containers = [*(pod.spec.init_containers or []), *pod.spec.containers]
    return PodWorkload(
        name=pod.metadata.name,
        namespace=pod.metadata.namespace,
        running=cluster,
        node=cluster.node_of(pod),
        address=IPv4Address(pod.status.pod_ip),
        container=container or pod.spec.containers[0].name,
        account=pod.spec.service_account_name or "",
        version=(pod.metadata.labels or {}).get("version", ""),
        sidecar=any(one.name == PROXY for one in containers),
    )


def list_workloads(
    cluster: RunningCluster, app: str, namespace: str, container: str | None = None
) -> list[PodWorkload]:
    """The pods of ``app`` that have an address, also those that are about to end.

    ``container``: as for ``pod_workload``, by default the one that is called like the app.
    Raises LabError.
    """
    with lab_errors(f"list the pods of {app} in {namespace} of {cluster.name}"):
        pods = cluster.core.list_namespaced_pod(namespace, label_selector=f"app={app}").items
        return [pod_workload(cluster, pod, container or app) for pod in pods if pod.status.pod_ip]


def find_workload(
    cluster: RunningCluster, app: str, namespace: str, container: str | None = None
) -> PodWorkload:
    """A pod of ``app`` that is not about to end; ``container`` as for ``list_workloads``.

    Raises LabError when there is none.
    """
    with lab_errors(f"find {app} in {namespace} of {cluster.name}"):
        pods = cluster.core.list_namespaced_pod(namespace, label_selector=f"app={app}").items
        alive = [pod for pod in pods if pod.metadata.deletion_timestamp is None]
        if not alive or not alive[0].status.pod_ip:
            raise LabError(f"no pod with app={app} runs in {namespace} of {cluster.name}")
        return pod_workload(cluster, alive[0], container or app)
