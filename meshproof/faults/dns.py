"""Takes away a cluster's DNS, or the host names of load balancers alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

from meshproof.errors import LabError
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.dns import await_dns, dns_address, load_balancer_name
from meshproof.kube.names import ask_name
from meshproof.kube.rollout import await_rollout, scale
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import node_probe
from meshproof.process import Shell
from meshproof.wait import eventually

_NAMESPACE, _COREDNS, _KEY = "kube-system", "coredns", "Corefile"
_ZONE, _OTHER = "lb.example", "gone.lb.example"
_SOME = IPv4Address("192.0.2.7")


@contextmanager
def dns_stopped(cluster: RunningCluster, shell: Shell) -> Iterator[None]:
    """No DNS server runs in a cluster inside the block: names are not answered for at all. In force
    when its pods are gone, healed when names resolve. Raises LabError."""
    apps = client.AppsV1Api(cluster.api)
    with lab_errors(f"read Deployment {_COREDNS} in {cluster.name}"):
        before = apps.read_namespaced_deployment(_COREDNS, _NAMESPACE).spec.replicas

    def have(replicas: int) -> None:
        scale(cluster, _NAMESPACE, {_COREDNS: replicas})
        await_rollout(cluster, _NAMESPACE, {_COREDNS}, shell)

    try:
        have(0)
        yield
    finally:
        have(before)
        await_dns(cluster, shell, shell.recorder)


@contextmanager
def load_balancers_unnamed(cluster: RunningCluster) -> Iterator[None]:
    """The DNS of a cluster says of load balancers' host names that there are none, inside the
    block. In force, and healed, when it says so of one of them. Raises LabError."""
    with lab_errors(f"read the Corefile of {cluster.name}"):
        own = cluster.core.read_namespaced_config_map(_COREDNS, _NAMESPACE).data[_KEY]
    if _ZONE not in own:
        raise LabError(f"the DNS of {cluster.name} knows no names of load balancers")
    try:
        _write(cluster, own.replace(_ZONE, _OTHER).replace("lb[.]example", "gone[.]lb[.]example"))
        _await_named(cluster, named=False)
        yield
    finally:
        _write(cluster, own)
        _await_named(cluster, named=True)


def _write(cluster: RunningCluster, text: str) -> None:
    with lab_errors(f"write the Corefile of {cluster.name}"):
        cluster.core.patch_namespaced_config_map(_COREDNS, _NAMESPACE, {"data": {_KEY: text}})


def _await_named(cluster: RunningCluster, *, named: bool) -> None:
    """Wait until the DNS knows the host names of load balancers, or knows none."""
    name, asker = load_balancer_name(_SOME), node_probe(cluster)

    def says() -> bool:
        return ask_name(asker, name, dns_address(cluster)).exists is named

    # kubelet brings a changed ConfigMap to its pods within a minute or so.
    eventually(says, what=f"{name} in the DNS of {cluster.name}", within=150, every=0.5)
