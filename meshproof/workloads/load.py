"""Services and pods that nobody serves: what a mesh has to know when a cluster is large.

Nodes and pods are kwok's, objects that it keeps ready; addresses are of a range that no lab uses,
so that a call which went astray would end nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from meshproof.errors import MeshproofError, UsageError
from meshproof.kube import RunningCluster
from meshproof.kube.objects import Object, apply, await_absence, delete
from meshproof.kube.seam import lab_errors
from meshproof.process import Shell
from meshproof.wait import eventually

NAMESPACE = "load"
_SIZE = re.compile(r"services=([1-9][0-9]{0,3}),pods=([1-9][0-9]{0,4})")
_MOST = (2000, 20000)
_LABEL = ("meshproof.io/load", "true")
_ADDRESSES = "100.96.0.1/11"
"""Of the range for carriers (RFC 6598), which no pool of labs is in."""
_PODS_A_NODE = 100
_WITHIN = 600.0


@dataclass(frozen=True, slots=True)
class Load:
    """So many Services, and pods spread evenly over them."""

    services: int
    pods: int

    @classmethod
    def parse(cls, text: str) -> Load:
        """Read "services=500,pods=2000". Raises UsageError."""
        match = _SIZE.fullmatch(text)
        found = cls(*map(int, match.groups())) if match else None
        if found is None or found.services > _MOST[0] or found.pods > _MOST[1]:
            raise UsageError(
                f"--scale is '{text}'",
                f"write it as services=500,pods=2000; up to {_MOST[0]} and {_MOST[1]}",
            )
        return found

    def __str__(self) -> str:
        return f"{self.services} Services, {self.pods} pods"

    @property
    def nodes(self) -> int:
        """Of kwok's nodes that the pods are on."""
        return -(-self.pods // _PODS_A_NODE)

    def service(self, number: int) -> str:
        """The host name of a Service, from 0."""
        return f"load-{number}.{NAMESPACE}.svc.cluster.local"


@contextmanager
def loaded(cluster: RunningCluster, kwok: Path, kubeconfig: Path, load: Load) -> Iterator[None]:
    """A cluster has this load, all of it ready, inside the block, and nothing of it afterwards.

    ``kwok``: the folder with the program and its stages. Raises LabError.
    """
    shell = Shell()
    with ThreadPoolExecutor(max_workers=1) as pool:
        ended = pool.submit(shell.run, _argv(kwok, kubeconfig), timeout=24 * 3600)
        try:
            apply(cluster, _nodes(load))
            apply(cluster, _namespaced(load))
            eventually(
                lambda: _ready(cluster),
                until=lambda ready: ready == load.pods,
                what=f"{load} in {cluster.name}",
                within=_WITHIN,
                every=1.0,
                fail_if=lambda _: f"kwok ended: {ended.exception()}" if ended.done() else None,
            )
            yield
        finally:
            try:
                # As long as its node is there kwok ends a pod at once.
                delete(cluster, _namespaced(load)[:1])
                await_absence(cluster, NAMESPACE, within=_WITHIN)
                delete(cluster, _nodes(load))
            finally:
                shell.cancel()
                with suppress(MeshproofError):
                    ended.result()


def _argv(kwok: Path, kubeconfig: Path) -> list[str]:
    stages = [f"--config={one}" for one in sorted(kwok.glob("*.yaml"))]
    return [
        *(str(kwok / "kwok"), f"--kubeconfig={kubeconfig}", "--manage-all-nodes=false"),
        *(f"--manage-nodes-with-label-selector={'='.join(_LABEL)}", f"--cidr={_ADDRESSES}"),
        *("--server-address=127.0.0.1:0", *stages),
    ]


def _nodes(load: Load) -> list[Object]:
    """Tainted: nothing else is put there."""
    room = {"cpu": "64", "memory": "256Gi", "pods": str(2 * _PODS_A_NODE)}
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"load-{number}", "labels": dict([_LABEL])},
            "spec": {"taints": [{"key": _LABEL[0], "value": _LABEL[1], "effect": "NoSchedule"}]},
            "status": {"allocatable": room, "capacity": room},
        }
        for number in range(load.nodes)
    ]


def _namespaced(load: Load) -> Sequence[Object]:
    """The namespace first; no sidecar comes into it."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": NAMESPACE, "namespace": NAMESPACE},
    }
    services = [_service(number) for number in range(load.services)]
    return [namespace, account, *services, *(_pod(number, load) for number in range(load.pods))]


def _service(number: int) -> Object:
    name = f"load-{number}"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80}]},
    }


def _pod(number: int, load: Load) -> Object:
    """On its node from the start, so that no scheduler is asked. Istio takes it for one with a
    sidecar: across networks it tells proxies of no others."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"load-{number}",
            "namespace": NAMESPACE,
            "labels": {
                "app": f"load-{number % load.services}",
                "security.istio.io/tlsMode": "istio",
            },
        },
        "spec": {
            "nodeName": f"load-{number // _PODS_A_NODE}",
            "serviceAccountName": NAMESPACE,
            "automountServiceAccountToken": False,
            "tolerations": [{"key": _LABEL[0], "operator": "Exists"}],
            "containers": [{"name": "none", "image": "localhost/none:1"}],
        },
    }


def _ready(cluster: RunningCluster) -> int:
    with lab_errors(f"list the pods of {NAMESPACE} in {cluster.name}"):
        pods = cluster.core.list_namespaced_pod(NAMESPACE).items
    return sum(
        any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or ())
        for pod in pods
    )
