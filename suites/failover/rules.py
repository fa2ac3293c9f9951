"""The rule by which calls prefer their own cluster.

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

_CLUSTER = "topology.istio.io/cluster"
_MEANWHILE = 15.0


def near_first() -> Object:
    """Calls go to the caller's own cluster as long as anybody is well there."""
    rule = destination_rule(HOST, (), Tls.ISTIO_MUTUAL)
    # Without ejection istiod gives no instance another priority.
    rule["spec"]["trafficPolicy"] |= {
        "outlierDetection": {"consecutive5xxErrors": 100, "baseEjectionTime": "1s"},
        "loadBalancer": {"localityLbSetting": {"enabled": True, "failoverPriority": [_CLUSTER]}},
    }
    return rule


def over_a_failure(sample: Sample, caller: str) -> History:
    """What comes of calls from a cluster that prefer it, while its own instances are away, and when
    they are back. Raises EvidenceError where the rule does not come into force."""

    def doing(stream: Stream, _: ExitStack) -> None:
        with ExitStack() as away:
            with stream.mark(GONE):
                for version in sample.versions_in(caller):
                    away.enter_context(scaled(sample, version, 0))
            stream.flow_for(WITHIN + _MEANWHILE)
            with stream.mark(BACK):
                away.close()
        stream.flow_for(WITHIN + _MEANWHILE)

    with ruled(sample, [near_first()]):
        return over(sample, doing, callers=[caller]).history
