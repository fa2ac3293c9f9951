"""A workload: a running pod that calls, or is called, and what may be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

import kubernetes.client

from meshproof.errors import EvidenceError, LabError
from meshproof.kube.cluster import Node, RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.process import Finished

PROXY = "istio-proxy"
"""The container of a workload's proxy."""
TRUST_DOMAIN = "cluster.local"
_ADMIN = "http://127.0.0.1:15000"
# containerd's shim notes its container's first process here, on the node; asking containerd
# itself costs a program of its own each time.
_INIT_PID = "run/containerd/io.containerd.runtime.v2.task/k8s.io/{}/init.pid"


@dataclass(frozen=True)
class Workload:
    """A pod, or the network namespace of a node, as something to send from and to ask of.

    ``running``: its cluster; ``container_id``: of the container in which programs are run, None
    for a node; ``account``: its service account; ``version``: its label, "" without one;
    ``sidecar``: whether a proxy stands before it.
    """

    name: str
    namespace: str
    running: RunningCluster = field(repr=False)
    node: Node
    address: IPv4Address
    container_id: str | None = None
    account: str = ""
    version: str = ""
    sidecar: bool = False
    trust_domain: str = TRUST_DOMAIN

    @property
    def cluster(self) -> str:
        """The name of its cluster."""
        return self.running.name

    @property
    def identity(self) -> str:
        """Its SPIFFE URI, as https://istio.io/latest/docs/concepts/security/ has it."""
        return spiffe(self.namespace, self.account, self.trust_domain)

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 60
    ) -> Finished:
        """Run one of its own programs where its container runs: its files, its DNS.

        Raises CommandError when ``check`` and the exit code is not 0, LabError when the container
        does not run.
        """
        namespaces = ("-m", "-u", "-i", "-n", "-p")
        return self._enter(namespaces, argv, input, check, timeout)

    def run_from_node(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 30
    ) -> Finished:
        """Run one of its node's programs in its network namespace. Raises as ``run`` does."""
        return self._enter(("-n",), argv, input, check, timeout)

    def admin(self, path: str, method: str = "GET") -> str:
        """What the admin interface of its proxy answers. Raises EvidenceError when it does not."""
        url = f"{_ADMIN}/{path}"
        curl = ("curl", "-sS", "-f", "-m", "10", "-X", method, url)
        asked = self.run_from_node(*curl, check=False)
        if asked.returncode != 0:
            said = asked.stderr.strip()[-200:]
            raise EvidenceError(f"the proxy of {self} did not answer: {said}")
        return asked.stdout

    def log(self, container: str = PROXY, **options: Any) -> str:
        """What one of its containers has logged. ``options``: as the API's, such as
        ``tail_lines``. Raises LabError."""
        with lab_errors(f"read the log of {self}"):
            text: str = self.running.core.read_namespaced_pod_log(
                self.name, self.namespace, container=container, **options
            )
        return text

    def _enter(
        self,
        namespaces: tuple[str, ...],
        argv: tuple[str, ...],
        input: str | None,
        check: bool,
        timeout: float,
    ) -> Finished:
        enter: tuple[str, ...] = ()
        if self.container_id is not None:
            path = _INIT_PID.format(self.container_id)
            noted = self.running.file_on_node(self.node, path) if self.container_id else None
            if noted is None:
                raise LabError(f"{self} has no process on {self.node.container}")
            enter = ("nsenter", "-t", noted.strip(), *namespaces)
        return self.running.on_node(
            self.node, *enter, *argv, input=input, check=check, timeout=timeout
        )

    def __str__(self) -> str:
        return f"{self.name} of {self.cluster} ({self.address})"


def spiffe(namespace: str, account: str, trust_domain: str = TRUST_DOMAIN) -> str:
    """The identity of a service account, as https://istio.io/latest/docs/concepts/security/ has
    it."""
    return f"spiffe://{trust_domain}/ns/{namespace}/sa/{account}"


def node_probe(cluster: RunningCluster) -> Workload:
    """What asks from the control plane node of a cluster, in the node's own network namespace."""
    node = cluster.control_plane
    return Workload("node", "", cluster, node, node.address)


def pod_workload(
    cluster: RunningCluster, pod: kubernetes.client.V1Pod, container: str | None = None
) -> Workload:
    """A pod that has an address. ``container``: the one that programs are run in; by default the
    first."""
    states = [*(pod.status.container_statuses or []), *(pod.status.init_container_statuses or [])]
    chosen = [state for state in states if container in (None, state.name)]
    identity = (chosen[0].container_id or "" if chosen else "").removeprefix("containerd://")
    containers = [*(pod.spec.init_containers or []), *pod.spec.containers]
    return Workload(
        name=pod.metadata.name,
        namespace=pod.metadata.namespace,
        running=cluster,
        node=cluster.node_of(pod),
        address=IPv4Address(pod.status.pod_ip),
        container_id=identity,
        account=pod.spec.service_account_name or "",
        version=(pod.metadata.labels or {}).get("version", ""),
        sidecar=any(one.name == PROXY for one in containers),
    )


def list_workloads(
    cluster: RunningCluster, app: str, namespace: str, container: str | None = None
) -> list[Workload]:
    """The pods of ``app`` that have an address, also those that are about to end.

    ``container``: as for ``pod_workload``, by default the one that is called like the app.
    Raises LabError.
    """
    with lab_errors(f"list the pods of {app} in {namespace} of {cluster.name}"):
        pods = cluster.core.list_namespaced_pod(namespace, label_selector=f"app={app}").items
        return [pod_workload(cluster, pod, container or app) for pod in pods if pod.status.pod_ip]


def find_workload(
    cluster: RunningCluster, app: str, namespace: str, container: str | None = None
) -> Workload:
    """A pod of ``app`` that is not about to end; ``container`` as for ``list_workloads``.

    Raises LabError when there is none.
    """
    with lab_errors(f"find {app} in {namespace} of {cluster.name}"):
        pods = cluster.core.list_namespaced_pod(namespace, label_selector=f"app={app}").items
        alive = [pod for pod in pods if pod.metadata.deletion_timestamp is None]
        if not alive or not alive[0].status.pod_ip:
            raise LabError(f"no pod with app={app} runs in {namespace} of {cluster.name}")
        return pod_workload(cluster, alive[0], container or app)
