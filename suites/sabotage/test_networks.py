"""A pod that says it is on another network than it is, is noticed by its bare address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import Workload
from meshproof.mesh.operator_config import NETWORK_LABEL
from meshproof.mesh.proxy import endpoints
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import await_healed, healed, require
from meshproof.workloads.sample import NAMESPACE, PORT, Sample
from suites.sabotage.shown import SERVICE, gateway_weights
from suites.weight.claims import instances, weights_follow


# The kind of https://github.com/istio/istio/issues/49412: pod addresses across networks.
@proves("weight/follows-the-instances")
@pytest.mark.networks(2)
@pytest.mark.ranges("disjoint")
def test_a_pod_on_the_wrong_network_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a network label that names the caller's network, the claim of endpoints fails and
    tells the pod's address."""
    caller, version = sample.pairs(same_network=False)[0]
    pod = sample.server(version)
    try:
        with _says_it_is_on(sample, pod, sample.topology[caller].network):
            what = f"{pod.address} among the endpoints in {caller}"
            require(
                lambda: _known(sample, caller),
                until=lambda seen: str(pod.address) in seen,
                what=what,
            )
            verdict = weights_follow(sample, instances(sample))
    finally:
        await_healed(sample, lambda: _is_behind(sample, pod, caller), f"{pod.name} on its network")
        healed(sample)
    judge(noticed([verdict], f"{pod.address}:{PORT}"))


@proves("weight/follows-the-instances")
@pytest.mark.networks(2)
@pytest.mark.neighbours(1)
def test_a_neighbour_said_to_be_elsewhere_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a pod of the caller's network that says it is on another one, the claim of endpoints
    fails and tells what the other network's gateway then weighs."""
    far = {who: sample.versions[one] for who, one in sample.pairs(same_network=False)}
    caller, version = next(pair for pair in sample.pairs(same_network=True) if pair[0] in far)
    pod, elsewhere = sample.server(version), far[caller]
    try:
        with _says_it_is_on(sample, pod, sample.topology[elsewhere].network):
            require(
                lambda: _known(sample, caller),
                until=lambda seen: str(pod.address) not in seen,
                what=f"the end of {pod.address} among the endpoints in {caller}",
            )
            weights = gateway_weights(sample, caller, elsewhere)
            verdict = weights_follow(sample, instances(sample))
    finally:
        await_healed(
            sample,
            lambda: str(pod.address) in _known(sample, caller),
            f"{pod.name} on its network",
        )
        healed(sample)
    judge(noticed([verdict], next(f"{way} {weight}" for way, weight in weights.items())))


@contextmanager
def _says_it_is_on(sample: Sample, pod: Workload, network: str) -> Iterator[None]:
    core = sample.mesh.cluster(pod.cluster).core
    own = sample.mesh.deployment.topology[pod.cluster].network

    def label(name: str) -> None:
        with lab_errors(f"label {pod.name}"):
            body = {"metadata": {"labels": {NETWORK_LABEL: name}}}
            core.patch_namespaced_pod(pod.name, NAMESPACE, body)

    try:
        label(network)
        yield
    finally:
        label(own)


def _known(sample: Sample, caller: str) -> set[str]:
    return {one.address for one in endpoints(sample.caller(caller), SERVICE)}


def _is_behind(sample: Sample, pod: Workload, caller: str) -> bool:
    """Whether the caller's proxy knows the pod by its gateways, and those of its own cluster by
    its address."""
    abroad, at_home = _known(sample, caller), _known(sample, pod.cluster)
    gateways = {str(way.address) for way in sample.mesh.ways_to(pod.cluster).values()}
    return gateways <= abroad and str(pod.address) in at_home - abroad
