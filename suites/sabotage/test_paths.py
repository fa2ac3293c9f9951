"""Calls that do not go to pods' own addresses on one network are noticed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address

import pytest

from meshproof.expect import Verdict, calls_to_meet, noticed
from meshproof.kube.objects import Object
from meshproof.mesh.configuration import configured
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.calls import Plan
from meshproof.traffic.settle import await_healed, healed, require
from meshproof.traffic.wire import watch
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT, Sample
from suites.paths.claims import remote_version_by_its_way
from suites.sabotage.announced import ways_known
from suites.sabotage.leading import leading
from suites.sabotage.shown import calls_by, faults
from suites.upgrade.claims import ways_stay

# Of a range that nobody has: https://www.rfc-editor.org/rfc/rfc5737.
_SECOND = IPv4Address("203.0.113.9")


@proves("paths/remote-by-pod", "upgrade/ways-stay")
@requires(Capability.ROUTER, Capability.NODES)
@pytest.mark.networks(1)
def test_a_second_address_of_a_pod_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a second address that leads to another cluster's pod, the claim that it is called at its
    own fails and names it."""
    caller, version = sample.pairs(same_network=True)[0]
    pod, second = sample.server(version), f"{_SECOND}:{PORT}"
    try:
        with (
            configured(sample.mesh, [_entry(sample, caller, version)]),
            leading(sample.mesh.cluster(caller), _SECOND, pod.address),
        ):
            look, what = partial(_upstreams, sample, caller), f"calls that {second} answers"
            require(look, until=lambda seen: second in seen, what=what)
            plan = Plan(times=calls_to_meet(sample.smallest_share))
            verdicts = [
                remote_version_by_its_way(sample, caller, version),
                ways_stay([watch(sample, sample.caller(caller), plan)]),
            ]
    finally:
        gone = partial(_forgotten, sample, second)
        await_healed(sample, gone, f"the end of {second} among the endpoints")
        healed(sample)
    judge(noticed(verdicts, second))


def _upstreams(sample: Sample, caller: str) -> set[str]:
    """Where calls go by the caller's log, if all of them succeed; else what is wrong with them."""
    responses = calls_by(sample, sample.caller(caller))
    if told := faults(responses):
        return {told}
    return {one.log.upstream_host for one in responses if one.log}


def _forgotten(sample: Sample, way: str) -> bool:
    return all(way not in ways_known(sample, name) for name in sample.clusters)


def _entry(sample: Sample, caller: str, version: str) -> Object:
    """One more instance of a version, at the second address, on the caller's network."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadEntry",
        "metadata": {"name": "second-address", "namespace": NAMESPACE},
        "spec": {
            "address": str(_SECOND),
            "network": sample.topology[caller].network,
            "labels": {"app": HELLOWORLD, "version": version},
            "serviceAccount": HELLOWORLD,
        },
    }
