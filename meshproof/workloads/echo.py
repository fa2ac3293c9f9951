"""An echo for bare clusters: a pod that says who it is and whom it hears, by TCP and UDP.

The pod runs nothing but the pause image, which every node image has; the listeners are started
in its network namespace with the node's own socat and perl. So the same echo serves with every
source of artifacts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

import kubernetes.client

from meshproof.events import Recorder
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import Workload, pod_workload
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
# perl, which every Debian has: socat may lose a datagram while it forks for the one before.
_UDP_ECHO = (
    "use IO::Socket::INET; my ($port, $name) = @ARGV;"
    'my $socket = IO::Socket::INET->new(LocalPort => $port, Proto => "udp") or die;'
    "while (1) { my $question; defined $socket->recv($question, 1500) or next;"
    '$socket->send("$name hears " . $socket->peerhost . "\\n"); }'
)


@dataclass(frozen=True)
class Echo:
    """The echo of one cluster. It answers "<cluster> hears <address>"."""

    pod: Workload
    service: IPv4Address
    node_port: int

    def answer_to(self, address: IPv4Address) -> str:
        """What this echo says to a caller whose packets bear ``address``."""
        return f"{self.pod.cluster} hears {address}"


def deploy_echo(
    cluster: RunningCluster,
    pause_image: str,
    recorder: Recorder,
    name: str = "echo",
    node: str | None = None,
) -> Echo:
    """Start an echo's pod and listeners in a cluster, and the Services that lead to it.

    ``node``: the container of the node that the pod is to be on, where that matters.
    An echo of this name that is there already (in a kept lab) is used as it is. Raises
    WaitTimeoutError when the pod does not run or the listeners do not answer, LabError when
    the API server refuses.
    """
    core = cluster.core
    doing = f"deploy {name} in {cluster.name}"
    with recorder.step(doing, cluster=cluster.name), lab_errors(doing):
        _prepare_namespace(core)
        present = {pod.metadata.name for pod in core.list_namespaced_pod(NAMESPACE).items}
        if name not in present:
            core.create_namespaced_pod(NAMESPACE, _pod(name, pause_image, node))
        eventually(
            lambda: core.read_namespaced_pod(name, NAMESPACE).status.phase,
            until=lambda phase: phase == "Running",
            fail_if=lambda phase: cluster.trouble() if phase == "Failed" else None,
            what=f"pod {name} of {cluster.name}",
            within=60,
        )
        pod = pod_workload(cluster, core.read_namespaced_pod(name, NAMESPACE))
        if name not in present:
            _listen(pod)
        service = core.read_namespaced_service("echo", NAMESPACE)
    return Echo(pod, IPv4Address(service.spec.cluster_ip), service.spec.ports[0].node_port)


def _prepare_namespace(core: kubernetes.client.CoreV1Api) -> None:
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


def _listen(pod: Workload) -> None:
    """Start the listeners; they end with the pod's network namespace or the node."""
    # The question is read to its end (an empty line) before the answer: a shell that had ended
    # by then would break socat's pipe, and the answer would be lost, often on a busy machine.
    hears = "while read -r line && [ ${#line} -gt 1 ]; do true; done"
    says = f"{hears}; echo {pod.cluster} hears $SOCAT_PEERADDR"
    tcp = [f"socat TCP4-LISTEN:{port},fork,reuseaddr 'SYSTEM:{says}'" for port in TCP_PORTS]
    udp = [f"perl -e '{_UDP_ECHO}' {port} {pod.cluster}" for port in UDP_PORTS]
    patient = f"socat TCP4-LISTEN:{PATIENT_PORT},fork,reuseaddr EXEC:cat"
    listeners = [*tcp, *udp, patient]
    pod.run_from_node("sh", input="".join(f"setsid {one} >/dev/null 2>&1 &\n" for one in listeners))
    wanted = len(listeners)
    eventually(
        lambda: _sockets(pod),
        until=lambda ports: len(ports) >= wanted,
        what=f"{wanted} listeners in {pod}",
        within=10,
    )


def _sockets(pod: Workload) -> Sequence[str]:
    listing = pod.run_from_node("ss", "-Hlntu").stdout
    return [line.split()[4] for line in listing.splitlines() if line.strip()]


def _pod(name: str, image: str, node: str | None) -> dict[str, object]:
    placed = {"nodeName": node} if node is not None else {}
    container = {"name": "pause", "image": image, "imagePullPolicy": "IfNotPresent"}
    return {
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            **placed,
            "containers": [container],
            "terminationGracePeriodSeconds": 0,
            "tolerations": [{"operator": "Exists"}],
        },
    }


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
