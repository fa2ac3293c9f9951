"""The clusters' DNS: CoreDNS without upstream, so that a name that is not there is NXDOMAIN."""

from __future__ import annotations

from ipaddress import IPv4Address

from meshproof.errors import LabError, WaitFailedError, WaitTimeoutError
from meshproof.events import Recorder
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.names import ask_name
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import node_probe
from meshproof.process import Shell, called_off
from meshproof.wait import eventually

# The lab has no name server beyond its own: whatever CoreDNS does not know does not exist, and
# it says so (NXDOMAIN), so that "does not resolve" can be told from "nobody answered".
# In a block of its own: within one block `template` would answer before `kubernetes`.
# Nothing is cached: what comes or goes is known at once, not five seconds later.
# `ready` stands in one block alone: with two, the readiness of the last one's plugins counts, and
# a CoreDNS that reaches no API server would be ready and answer SERVFAIL.
# Of one block's templates the first that fits answers: names of addresses, then nothing else.
_COREFILE = """cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
    errors
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        ttl 5
    }
    reload 2s
    loadbalance
}
.:53 {
    errors
    health {
        lameduck 1s
    }
    template IN A lb.example {
        match "^(?P<a>[0-9]+)-(?P<b>[0-9]+)-(?P<c>[0-9]+)-(?P<d>[0-9]+)[.]lb[.]example[.]$"
        answer "{{ .Name }} 5 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"
        fallthrough
    }
    template IN ANY lb.example {
        match "^[0-9]+-[0-9]+-[0-9]+-[0-9]+[.]lb[.]example[.]$"
        rcode NOERROR
        fallthrough
    }
    template ANY ANY {
        rcode NXDOMAIN
    }
    prometheus :9153
}
"""
_KNOWN = "kubernetes.default.svc.cluster.local"
_UNKNOWN = "nowhere.example"
_WITHOUT_UPSTREAM = {"meshproof.io/dns": "without-upstream"}
_HOPELESS = (
    "ErrImage",
    "ImagePullBackOff",
    "InvalidImageName",
    "CrashLoopBackOff",
    "CreateContainer",
)


def load_balancer_name(address: IPv4Address) -> str:
    """The host name that stands for an address in the DNS of each cluster, as a cloud's names of
    load balancers do; nobody needs to be told of it beforehand."""
    return f"{str(address).replace('.', '-')}.lb.example"


def cut_off(cluster: RunningCluster) -> None:
    """Give CoreDNS a configuration without upstream, and one replica that reads it at once."""
    core, apps = cluster.core, client.AppsV1Api(cluster.api)
    core.patch_namespaced_config_map("coredns", "kube-system", {"data": {"Corefile": _COREFILE}})
    # Asked every ten seconds, as by default, it would be ready long before anybody knew.
    container = {"name": "coredns", "readinessProbe": {"periodSeconds": 1}}
    template = {"metadata": {"annotations": _WITHOUT_UPSTREAM}, "spec": {"containers": [container]}}
    replaced = {"maxSurge": 0, "maxUnavailable": "100%"}
    strategy = {"type": "RollingUpdate", "rollingUpdate": replaced}
    patch = {"spec": {"replicas": 1, "strategy": strategy, "template": template}}
    apps.patch_namespaced_deployment("coredns", "kube-system", patch)


def await_dns(
    cluster: RunningCluster, shell: Shell, recorder: Recorder, within: float = 120.0
) -> None:
    """Wait until the cluster's DNS serves names under the configuration without upstream.

    ``within``: seconds. Raises LabError that names the pod at fault.
    """
    with lab_errors(f"wait for the DNS of {cluster.name}"):
        try:
            eventually(
                lambda: _missing(cluster),
                until=lambda missing: missing == "",
                fail_if=lambda missing: hopeless(shell, missing),
                what=f"the DNS of {cluster.name}",
                within=within,
                every=0.25,
                recorder=recorder,
            )
        except (WaitTimeoutError, WaitFailedError) as error:
            raise LabError(error.cause) from error


def hopeless(shell: Shell, missing: str) -> str | None:
    """Why waiting for a cluster is of no use any more, if it is not.

    Raises CancelledError when the run was called off.
    """
    called_off(shell)
    return missing if any(word in missing for word in _HOPELESS) else None


def dns_address(cluster: RunningCluster) -> IPv4Address:
    """The address of the cluster's DNS Service, which pods ask."""
    service = cluster.core.read_namespaced_service("kube-dns", "kube-system")
    return IPv4Address(service.spec.cluster_ip)


def dns_pod(cluster: RunningCluster) -> client.V1Pod:
    """A pod of the cluster's DNS. Raises LabError when there is none."""
    with lab_errors(f"find the DNS of {cluster.name}"):
        selector = {"label_selector": "k8s-app=kube-dns"}
        pods = cluster.core.list_namespaced_pod("kube-system", **selector).items
        return next(pod for pod in pods if pod.metadata.deletion_timestamp is None)


def _missing(cluster: RunningCluster) -> str:
    """Ready is not enough: what exists must be found, and what does not must be NXDOMAIN."""
    selector = {"label_selector": "k8s-app=kube-dns"}
    pods = cluster.core.list_namespaced_pod("kube-system", **selector).items
    if not any(_is_ready(pod) for pod in pods):
        return f"CoreDNS is not ready; {cluster.trouble()}"
    server = dns_address(cluster)
    asking = node_probe(cluster)
    known, unknown = (ask_name(asking, one, server) for one in (_KNOWN, _UNKNOWN))
    if not known.exists or unknown.code != "NXDOMAIN":
        return f"{_KNOWN}: {known}, {_UNKNOWN}: {unknown}"
    return ""


def _is_ready(pod: client.V1Pod) -> bool:
    conditions = {condition.type: condition.status for condition in pod.status.conditions or []}
    renewed = _WITHOUT_UPSTREAM.items() <= (pod.metadata.annotations or {}).items()
    return renewed and conditions.get("Ready") == "True"
