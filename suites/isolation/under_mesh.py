"""What is claimed of isolation while a mesh runs, so that sabotage can claim the same."""

from __future__ import annotations

from ipaddress import IPv4Address

from meshproof.expect import Verdict, all_of, kept_out, reached
from meshproof.kube.workload import node_probe
from meshproof.model import Pair
from meshproof.traffic import PATIENT, Target, attempt
from meshproof.traffic.probe import BRIEF
from meshproof.workloads.sample import Sample
from suites.isolation.targets import api_target, kubelet_target

# A sidecar answers health checks here in plain HTTP, whatever the mTLS mode.
_HEALTH = 15021


def pods_are_kept_out(sample: Sample, pair: Pair, patience: float = BRIEF) -> Verdict:
    """From one cluster neither pods nor Services of the other are reached.

    ``patience``: seconds to wait for an answer, PATIENT where one should come."""
    caller, called = pair
    outsider, inside = sample.outsider(caller), sample.outsider(called)
    targets = [_pod(sample, called), _service(sample, called)]
    lab = sample.mesh.lab
    return all_of(
        kept_out(attempt(lab, outsider, target, inside, patience=patience)) for target in targets
    )


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


def api_and_gateway_are_reached(sample: Sample, pair: Pair) -> Verdict:
    """From one cluster the other's API server and its gateway's health port are reached."""
    caller, called = pair
    lab, cluster = sample.mesh.lab, sample.mesh.cluster(called)
    outsider, inside = sample.outsider(caller), node_probe(cluster)
    targets = [(api_target(cluster), "api")]
    gateway = sample.mesh.gateway(called)
    if gateway is not None:
        targets.append((Target("the gateway", gateway, _HEALTH), "gateway"))
    return all_of(
        reached(attempt(lab, outsider, target, inside, patience=PATIENT), kind)
        for target, kind in targets
    )


def _pod(sample: Sample, cluster: str) -> Target:
    server = next(one for one in sample.servers().values() if one.cluster == cluster)
    return Target(f"helloworld's pod in {cluster}", server.address, _HEALTH)


def _service(sample: Sample, cluster: str) -> Target:
    # Not helloworld's: under strict mTLS the control would be refused.
    service = sample.mesh.cluster(cluster).core.read_namespaced_service("kubernetes", "default")
    return Target(f"a Service in {cluster}", IPv4Address(service.spec.cluster_ip), 443)
