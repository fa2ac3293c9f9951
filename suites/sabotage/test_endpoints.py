"""An endpoint that nobody has is noticed, with the cluster that it is told to be in; and one that
is said to be where its node is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.kube.objects import Object
from meshproof.kube.workload import Workload
from meshproof.mesh.config_dump import endpoint_clusters
from meshproof.mesh.configuration import configured
from meshproof.mesh.proxy import outbound
from meshproof.runner.behaviours import proves
from meshproof.traffic.endpoints import pods_amiss, pods_of, usual_pods
from meshproof.traffic.settle import await_healed, require
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, PORT, Sample
from meshproof.workloads.scale import in_zones, usual
from suites.endpoints.claims import endpoints_tell_their_cluster
from suites.endpoints.localities import endpoints_tell_their_locality

Judge = Callable[[Verdict], None]


@proves("endpoints/tell-their-cluster")
def test_an_endpoint_that_nobody_has_is_noticed(sample: Sample, judge: Judge) -> None:
    """With another pod announced as helloworld's, the claim of endpoints' clusters fails."""
    name = sample.clusters[0]
    outsider = sample.outsider(name)
    where = f"{outsider.address}:{PORT}"

    def known() -> bool:
        return where in endpoint_clusters(sample.caller(name), outbound(HOST, PORT))

    try:
        with configured(sample.mesh, [_entry(sample, outsider)]):
            require(known, what=f"an endpoint at {where}")
            verdict = endpoints_tell_their_cluster(sample, name)
    finally:
        await_healed(sample, lambda: not known(), f"the end of the endpoint at {where}")
    judge(noticed([verdict], where))


@proves("endpoints/tell-their-locality")
@pytest.mark.regions
def test_an_instance_that_is_elsewhere_than_its_node_is_noticed(
    sample: Sample, judge: Judge
) -> None:
    """With an instance that says to be in another region than its node, the claim of endpoints'
    localities fails."""
    version, name = next(iter(sample.versions.items()))
    due = pods_of(sample, {one: usual(sample, one) + (one == version) for one in sample.versions})
    try:
        with in_zones(sample, version, {"astray.z": 1}):
            require(lambda: not pods_amiss(sample, due), what=f"another instance of {version}")
            verdict = endpoints_tell_their_locality(sample, name)
    finally:
        own = usual_pods(sample)
        await_healed(sample, lambda: not pods_amiss(sample, own), "the usual instances alone")
    judge(noticed([verdict], f"of {name} is in astray/z"))


def _entry(sample: Sample, pod: Workload) -> Object:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadEntry",
        "metadata": {"name": "nobody", "namespace": NAMESPACE},
        "spec": {
            "address": str(pod.address),
            "network": sample.topology[pod.cluster].network,
            "labels": {"app": HELLOWORLD},
            "serviceAccount": HELLOWORLD,
        },
    }
