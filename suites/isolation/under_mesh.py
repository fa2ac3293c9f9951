"""What is claimed of isolation while a mesh runs, so that sabotage can claim the same."""

from __future__ import annotations

from ipaddress import IPv4Address

from meshproof.errors import EvidenceError
from meshproof.expect import Verdict, all_of, kept_out, reached
from meshproof.expect.control import as_control
from meshproof.expect.reach import stays_at_home
from meshproof.kube import client
from meshproof.kube.dns import dns_pod
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import node_probe
from meshproof.model import Pair
from meshproof.traffic import PATIENT, Target, attempt
from meshproof.traffic.probe import BRIEF
from meshproof.workloads.sample import Sample
from suites.isolation.targets import api_target, kubelet_target

# A sidecar answers health checks here in plain HTTP, whatever the mTLS mode.
_HEALTH = 15021
# And CoreDNS here, in a cluster that has no workloads.
_READY = 8181


def pods_are_kept_out(sample: Sample, pair: Pair, patience: float = BRIEF) -> Verdict:
    """From one cluster neither pods nor Services of the other are reached, pods not from nodes
    either.

    ``patience``: seconds to wait for an answer, PATIENT where one should come."""
    caller, called = pair
    outsider, inside = sample.outsider(caller), sample.outsider(called)
    lab, pod = sample.mesh.lab, _pod(sample, called)
    asked = [(outsider, pod), (outsider, _service(sample, called))]
    asked.append((node_probe(sample.mesh.cluster(caller)), pod))
    return all_of(
        kept_out(attempt(lab, here, target, inside, patience=patience)) for here, target in asked
    )


def shared_addresses_stay_at_home(sample: Sample, pair: Pair, target: Target) -> Verdict:
    """From one cluster nothing that is sent to an address of a pod of both goes to the router; that
    does count what sets out for the other's kubelet."""
    caller, called = pair
    outsider, inside = sample.outsider(caller), sample.outsider(called)
    lab, there = sample.mesh.lab, sample.mesh.cluster(called)
    tried = attempt(lab, outsider, target, inside)
    counted = attempt(lab, outsider, kubelet_target(there), node_probe(there))
    return all_of([stays_at_home(tried), as_control(kept_out(counted))])


def shared_target(sample: Sample, pair: Pair) -> Target:
    """A pod of the second cluster that answers, at an address that a pod of the first has as well:
    not the one that asks. Nodes hand addresses out in ascending order, and CoreDNS is among the
    first in every cluster. Raises EvidenceError when there is none."""
    caller, called = pair
    taken = {one.status.pod_ip for one in _pods(sample, caller)}
    taken.discard(str(sample.outsider(caller).address))
    sleep = [_pod(sample, called)] if called in sample.clusters else []
    dns = [
        Target(f"CoreDNS's pod in {called}", IPv4Address(one.status.pod_ip), _READY)
        for one in _pods(sample, called)
        if (one.metadata.labels or {}).get("k8s-app") == "kube-dns" and one.status.pod_ip
    ]
    for one in (*sleep, *dns):
        if str(one.address) in taken:
            return one
    raise EvidenceError(f"no pod of {called} that answers has an address of {caller}'s pods")


def pods_are_reached(sample: Sample, pair: Pair) -> Verdict:
    """From one cluster pods of the other are reached."""
    caller, called = pair
    outsider, inside = sample.outsider(caller), sample.outsider(called)
    target = _pod(sample, called)
    return reached(attempt(sample.mesh.lab, outsider, target, inside, patience=PATIENT), "pod")


def kubelets_are_kept_out(sample: Sample, pair: Pair, patience: float = BRIEF) -> Verdict:
    """From one cluster's nodes no kubelet of the other is reached; ``patience`` as for pods."""
    caller, called = (sample.mesh.cluster(name) for name in pair)
    target = kubelet_target(called)
    lab, inside = sample.mesh.lab, node_probe(called)
    return kept_out(attempt(lab, node_probe(caller), target, inside, patience=patience))


def api_server_and_gateway_as_the_topology_says(sample: Sample, pair: Pair) -> Verdict:
    """Of the other cluster the gateway is reached, if it has one, and the API server by those alone
    whose istiod reads it."""
    verdicts = [api_server_as_read(sample, pair)]
    if sample.mesh.gateway(pair[1]) is not None:
        verdicts.append(gateway_is_reached(sample, pair))
    return all_of(verdicts)


def api_server_as_read(sample: Sample, pair: Pair) -> Verdict:
    """From a cluster whose istiod reads the other, its API server is reached; from others not."""
    caller, called = pair
    cluster, lab = sample.mesh.cluster(called), sample.mesh.lab
    outsider, inside = sample.outsider(caller), node_probe(cluster)
    asked = sample.topology.asks(*pair)
    patience = PATIENT if asked else BRIEF
    tried = attempt(lab, outsider, api_target(cluster), inside, patience=patience)
    return reached(tried, "api") if asked else kept_out(tried)


def gateway_is_reached(sample: Sample, pair: Pair) -> Verdict:
    """From one cluster the other's gateway is reached, at its health port."""
    caller, called = pair
    lab, gateway = sample.mesh.lab, sample.mesh.gateway(called)
    assert gateway is not None, f"{called} has no gateway"
    outsider, inside = sample.outsider(caller), node_probe(sample.mesh.cluster(called))
    target = Target("the gateway", gateway, _HEALTH)
    return reached(attempt(lab, outsider, target, inside, patience=PATIENT), "gateway")


def _pod(sample: Sample, cluster: str) -> Target:
    if cluster in sample.clusters:
        return Target(f"sleep's pod in {cluster}", sample.caller(cluster).address, _HEALTH)
    pod = dns_pod(sample.mesh.cluster(cluster))
    return Target(f"CoreDNS's pod in {cluster}", IPv4Address(pod.status.pod_ip), _READY)


def _service(sample: Sample, cluster: str) -> Target:
    # Not helloworld's: under strict mTLS the control would be refused.
    service = sample.mesh.cluster(cluster).core.read_namespaced_service("kubernetes", "default")
    return Target(f"a Service in {cluster}", IPv4Address(service.spec.cluster_ip), 443)


def _pods(sample: Sample, cluster: str) -> list[client.V1Pod]:
    with lab_errors(f"list the pods of {cluster}"):
        core = sample.mesh.cluster(cluster).core
        found: list[client.V1Pod] = core.list_pod_for_all_namespaces().items
    return found
