"""The rule by which calls prefer their own cluster, or network.

https://istio.io/latest/docs/reference/config/networking/destination-rule/#LocalityLoadBalancerSetting
"""

from __future__ import annotations

from contextlib import ExitStack

from meshproof.kube.objects import Object
from meshproof.mesh.routes import Tls, destination_rule
from meshproof.traffic.routing import ruled
from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_history import History
from meshproof.traffic.stream_over import over
from meshproof.workloads.sample import HOST, Sample
from meshproof.workloads.scale import scaled
from suites.failover.claims import BACK, GONE, WITHIN

CLUSTER, NETWORK = "topology.istio.io/cluster", "topology.istio.io/network"
"""Labels of which instances and callers have one each, and gateways too: those of what is behind
them (``EndpointsByNetworkFilter`` in Istio's pilot/pkg/xds/endpoints/ep_filters.go)."""
_MEANWHILE = 10.0


def near_first(label: str) -> Object:
    """Calls go to whoever has the caller's own value of a label, as long as anybody is well
    there."""
    rule = destination_rule(HOST, (), Tls.ISTIO_MUTUAL)
    # Without ejection istiod gives no instance another priority.
    rule["spec"]["trafficPolicy"] |= {
        "outlierDetection": {"consecutive5xxErrors": 100, "baseEjectionTime": "1s"},
        "loadBalancer": {"localityLbSetting": {"enabled": True, "failoverPriority": [label]}},
    }
    return rule


def near_to(sample: Sample, caller: str, label: str) -> set[str]:
    """The versions that a cluster's callers share the value of a label with, of those that they
    know."""
    topology = sample.topology
    return {
        version
        for version, home in sample.reached_from(caller).items()
        if home == caller or (label == NETWORK and topology.same_network(caller, home))
    }


def over_a_failure(sample: Sample, caller: str, label: str) -> History:
    """What comes of calls from a cluster that prefer what has its own value of a label, while that
    is away, and when it is back. Raises EvidenceError where the rule does not come into force."""
    near = near_to(sample, caller, label)

    def doing(stream: Stream, _: ExitStack) -> None:
        with ExitStack() as away:
            with stream.mark(GONE):
                for version in sorted(near):
                    away.enter_context(scaled(sample, version, 0))
            stream.flow_for(WITHIN + _MEANWHILE)
            with stream.mark(BACK):
                away.close()
        stream.flow_for(WITHIN + _MEANWHILE)

    with ruled(sample, [near_first(label)]):
        return over(sample, doing, callers=[caller]).history
