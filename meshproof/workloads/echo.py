"""An echo for bare clusters: a pod that says who it is and whom it hears, by TCP and UDP.

Listening is all that the pod does: where it is started again, it hears again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from meshproof.artifacts.images import WORKLOAD
from meshproof.events import Recorder
from meshproof.kube import client
from meshproof.kube.asking import ask, question
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PodWorkload, pod_workload
from meshproof.wait import eventually

NAMESPACE = "echo"
GATEWAY_SERVICE = "gateway"
LOW, HIGH, GATEWAY = 80, 61000, 15443
TCP_PORTS = (LOW, HIGH, GATEWAY)
PATIENT_PORT = 7
"""Here a connection stays open and hears back whatever it says."""
GATEWAY_PORTS = (15443, 15012, 15017, 15021)
CLOSED_GATEWAY_PORT = 8443
"""The gateway's Service has this port as well, but the router lets nobody through to it."""
UDP_PORTS = (137, HIGH)
_WITHIN = 30.0


@dataclass(frozen=True)
class Echo:
    """The echo of one cluster. It answers "<cluster> hears <address>"."""

    pod: PodWorkload
    service: IPv4Address
    node_port: int

    def answer_to(self, address: IPv4Address) -> str:
        """What this echo says to a caller whose packets bear ``address``."""
        return f"{self.pod.cluster} hears {address}"


def deploy_echo(
    cluster: RunningCluster,
    recorder: Recorder,
    name: str = "echo",
    node: str | None = None,
) -> Echo:
    """Start an echo in a cluster, and the Services that lead to it.

    ``node``: the container of the node that the pod is to be on, where that matters.
    An echo of this name that is there already (in a kept lab) is used as it is. Raises
    WaitTimeoutError when the pod does not run or does not answer, LabError when the API server
    refuses.
    """
    core = cluster.core
    doing = f"deploy {name} in {cluster.name}"
    with recorder.step(doing, cluster=cluster.name), lab_errors(doing):
        _prepare_namespace(core)
        present = {pod.metadata.name for pod in core.list_namespaced_pod(NAMESPACE).items}
        if name not in present:
            core.create_namespaced_pod(NAMESPACE, echo_pod(name, cluster.name, node))
        eventually(
            lambda: core.read_namespaced_pod(name, NAMESPACE).status.phase,
            until=lambda phase: phase == "Running",
            fail_if=lambda phase: cluster.trouble() if phase == "Failed" else None,
            what=f"pod {name} of {cluster.name}",
            within=60,
        )
        pod = pod_workload(cluster, core.read_namespaced_pod(name, NAMESPACE))
        # All ports are listened on as soon as the last of those for TCP is.
        itself = question("tcp", pod.address, TCP_PORTS[-1], b"\n", _WITHIN)
        eventually(
            lambda: ask(pod, itself).failure,
            until=lambda failure: failure is None,
            what=f"an answer of {pod} to itself",
            within=_WITHIN,
        )
        service = core.read_namespaced_service("echo", NAMESPACE)
    return Echo(pod, IPv4Address(service.spec.cluster_ip), service.spec.ports[0].node_port)


def _prepare_namespace(core: client.CoreV1Api) -> None:
    if NAMESPACE not in {namespace.metadata.name for namespace in core.list_namespace().items}:
        core.create_namespace({"metadata": {"name": NAMESPACE}})
        core.create_namespaced_service(NAMESPACE, _service("echo", "NodePort", {LOW: LOW}))
        ports = dict.fromkeys((*GATEWAY_PORTS, CLOSED_GATEWAY_PORT), GATEWAY)
        gateway = _service(GATEWAY_SERVICE, "LoadBalancer", ports)
        core.create_namespaced_service(NAMESPACE, gateway)
    eventually(
        lambda: [a.metadata.name for a in core.list_namespaced_service_account(NAMESPACE).items],
        what="the default service account",
        within=30,
    )


def echo_pod(name: str, says: str, node: str | None) -> dict[str, object]:
    """The metadata and spec of a pod, or of a template of pods, that is an echo.

    ``says``: the name that it answers with; ``node``: where it is to be, None for anywhere.
    """
    placed = {"nodeName": node} if node is not None else {}
    ports = {"--udp": UDP_PORTS, "--patient": (PATIENT_PORT,), "--tcp": TCP_PORTS}
    listening = [word for option, some in ports.items() for word in (option, _listed(some))]
    container = {
        "name": "echo",
        "image": WORKLOAD,
        "imagePullPolicy": "IfNotPresent",
        "command": ["probe", "echo", *listening, says],
    }
    return {
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            **placed,
            "containers": [container],
            "terminationGracePeriodSeconds": 0,
            "tolerations": [{"operator": "Exists"}],
        },
    }


def _listed(ports: Iterable[int]) -> str:
    return ",".join(map(str, ports))


def _service(name: str, kind: str, ports: Mapping[int, int]) -> dict[str, object]:
    """``ports``: the pod's port by the Service's."""
    return {
        "metadata": {"name": name},
        "spec": {
            "type": kind,
            "selector": {"app": "echo"},
            "ports": [
                {"name": f"tcp-{port}", "port": port, "targetPort": target, "protocol": "TCP"}
                for port, target in ports.items()
            ],
        },
    }
