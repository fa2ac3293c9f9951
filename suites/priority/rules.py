"""A rule by which calls prefer one version, and how proxies understand it.

https://istio.io/latest/docs/reference/config/networking/destination-rule/#LocalityLoadBalancerSetting
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.kube.objects import Object
from meshproof.mesh.proxy import Endpoint, endpoints, outbound
from meshproof.mesh.routes import Tls, destination_rule
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import HOST, PORT, Sample

_KNOWN_AS = outbound(HOST, PORT)


def preferring(label: str, value: str) -> Object:
    """Calls prefer instances with this label: others come after them."""
    rule = destination_rule(HOST, (), Tls.ISTIO_MUTUAL)
    # Without ejection istiod gives no instance another priority.
    rule["spec"]["trafficPolicy"] |= {
        "outlierDetection": {"consecutive5xxErrors": 100, "baseEjectionTime": "1s"},
        "loadBalancer": {
            "localityLbSetting": {"enabled": True, "failoverPriority": [f"{label}={value}"]}
        },
    }
    return rule


@contextmanager
def preferred(sample: Sample, label: str, value: str) -> Iterator[None]:
    """That rule is in force wherever configuration counts, inside the block; afterwards no proxy
    prefers anybody, or the mesh is marked dirty."""
    with in_force(sample, [preferring(label, value)]):
        yield


def first_in(sample: Sample, caller: str) -> list[Endpoint]:
    """The endpoints that a caller's proxy calls before all others."""
    found = endpoints(sample.caller(caller), _KNOWN_AS)
    best = min((one.priority for one in found), default=0)
    return [one for one in found if one.priority == best]
