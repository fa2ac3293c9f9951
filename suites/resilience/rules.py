"""Rules for servers that fail or are slow, and rules that make them seem so."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from meshproof.kube.objects import Object
from meshproof.mesh.proxy import Endpoint, endpoints, outbound
from meshproof.mesh.routes import Tls, destination_rule, to_versions, virtual_service
from meshproof.traffic.routing import in_force
from meshproof.traffic.settle import await_healed
from meshproof.workloads.sample import HOST, PORT, Sample

RETRIES = 5
"""How often a call may be sent again. Envoy looks for another server than those that have failed,
six times: with two servers one retry in 64 comes to the same again."""
TIMEOUT = 2.0
"""Seconds that a version is given to answer: one that answers at once does so within them, however
busy the machine is."""
DELAY = 1.0
"""Seconds by which calls are delayed on purpose."""
ABORTED = 418
"""The status of calls that are aborted on purpose: nobody else answers with it."""
EJECTED_AFTER = 3
"""So many errors in a row cost a server its place."""
WISH = "end-user"
"""The header that names the version to which a call is to go."""


def retrying() -> list[Object]:
    """Calls that a server answers with 503 are sent again."""
    anywhere = {"route": [{"destination": {"host": HOST}}]}
    return [
        virtual_service(HOST, [anywhere | {"retries": {"attempts": RETRIES, "retryOn": "503"}}])
    ]


def impatient(version: str) -> list[Object]:
    """All calls go to one version, which is given a time."""
    route = to_versions(HOST, {version: 100}) | {"timeout": f"{TIMEOUT}s"}
    return [destination_rule(HOST, [version], Tls.ISTIO_MUTUAL), virtual_service(HOST, [route])]


def aborting(versions: Collection[str], bad: Collection[str]) -> list[Object]:
    """Calls go to the version that their header names; those for ``bad`` ones end at once."""
    fault = {"abort": {"httpStatus": ABORTED, "percentage": {"value": 100}}}
    return _injected(versions, bad, fault)


def delaying(versions: Collection[str], bad: Collection[str]) -> list[Object]:
    """Calls go to the version that their header names; those for ``bad`` ones later."""
    fault = {"delay": {"fixedDelay": f"{DELAY}s", "percentage": {"value": 100}}}
    return _injected(versions, bad, fault)


@contextmanager
def ejecting(sample: Sample) -> Iterator[None]:
    """A server that fails again and again is called by nobody for a while, inside the block;
    afterwards all are called again, or the mesh is marked dirty."""
    rule = destination_rule(HOST, (), Tls.ISTIO_MUTUAL)
    rule["spec"]["trafficPolicy"]["outlierDetection"] = {
        "consecutive5xxErrors": EJECTED_AFTER,
        "interval": "1s",
        "baseEjectionTime": "300s",
        "maxEjectionPercent": 100,
    }
    try:
        with in_force(sample, [rule]):
            yield
    finally:
        await_healed(sample, lambda: not left_out(sample), "the end of ejection")


def left_out(sample: Sample) -> dict[str, list[Endpoint]]:
    """The endpoints of helloworld that proxies do not call, by the callers' clusters."""
    found = {
        name: [
            one for one in endpoints(sample.caller(name), outbound(HOST, PORT)) if not one.healthy
        ]
        for name in sample.clusters
    }
    return {name: out for name, out in found.items() if out}


def _injected(versions: Collection[str], bad: Collection[str], fault: Object) -> list[Object]:
    routes = [
        to_versions(HOST, {one: 100}, {WISH: one}) | ({"fault": fault} if one in bad else {})
        for one in versions
    ]
    return [destination_rule(HOST, versions, Tls.ISTIO_MUTUAL), virtual_service(HOST, routes)]
