"""Outages that are none, and pods that nobody refuses, are noticed."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.expect import Verdict, noticed
from meshproof.kube.rollout import pods_of
from meshproof.kube.workload import list_workloads
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, Sample
from meshproof.workloads.scale import asked_for, usual
from suites.outage.claims import Tried, refused_then_came
from suites.outage.coming import awaited, said_of
from suites.sabotage.shown import forgotten

Judge = Callable[[Verdict], None]
pytestmark = requires(Capability.NODES)
_SOON, _WITHIN = 5.0, 60.0


@proves("outage/new-pods-wait")
def test_a_pod_that_nobody_refuses_is_noticed(sample: Sample, judge: Judge) -> None:
    """With an istiod that goes on, the claim that a new pod is refused fails and names the pod."""
    version = next(iter(sample.versions))
    cluster, name = sample.mesh.cluster(sample.versions[version]), f"{HELLOWORLD}-{version}"
    before = pods_of(cluster, NAMESPACE, name)
    with asked_for(sample, version, usual(sample, version) + 1):
        seconds, refusal = awaited(cluster, name, _WITHIN), said_of(cluster, name, within=_SOON)
        new = sorted(pods_of(cluster, NAMESPACE, name) - before)
        pods = [one for one in list_workloads(cluster, HELLOWORLD, NAMESPACE) if one.name in new]
        tried = Tried(version, refusal, new, seconds, _WITHIN, all(one.sidecar for one in pods))
    forgotten(sample)
    judge(noticed([refused_then_came(tried)], "came without istiod"))
