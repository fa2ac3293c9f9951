"""An endpoint that nobody has is noticed, with the cluster that it is told to be in."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.expect import Verdict, noticed
from meshproof.kube.objects import Object
from meshproof.kube.workload import Workload
from meshproof.mesh.config_dump import endpoint_clusters
from meshproof.mesh.configuration import configured
from meshproof.mesh.proxy import outbound
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import await_healed, require
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, PORT, Sample
from suites.endpoints.claims import endpoints_tell_their_cluster

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
