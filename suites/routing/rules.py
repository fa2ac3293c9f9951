"""The rules that the tests of routing apply, for helloworld and its versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from meshproof.kube.objects import Object
from meshproof.mesh.routes import Tls, destination_rule, to_versions, virtual_service
from meshproof.workloads.sample import HOST, Sample

HEADER = "end-user"
FRIEND = {HEADER: "jason"}
"""What calls bear that are to be routed elsewhere."""


def by_weight(weights: Mapping[str, int], tls: Tls | None = Tls.ISTIO_MUTUAL) -> list[Object]:
    """Calls are shared among versions by weight, in percent."""
    routes = [to_versions(HOST, weights)]
    return [destination_rule(HOST, weights, tls), virtual_service(HOST, routes)]


def by_header(version: str, otherwise: str) -> list[Object]:
    """Calls with the header go to one version, all others to the other."""
    routes = [to_versions(HOST, {version: 100}, FRIEND), to_versions(HOST, {otherwise: 100})]
    rule = destination_rule(HOST, [version, otherwise], Tls.ISTIO_MUTUAL)
    return [rule, virtual_service(HOST, routes)]


def by_wish(versions: Collection[str], tls: Tls) -> list[Object]:
    """Calls go to the one of these versions that their header names; in the given TLS mode."""
    routes = [to_versions(HOST, {version: 100}, {HEADER: version}) for version in versions]
    return [destination_rule(HOST, versions, tls), virtual_service(HOST, routes)]


def by_wish_but(versions: Collection[str], excepted: str) -> list[Object]:
    """Calls go to the one of these versions that their header names, in plain text, but for one
    subset, whose own policy says mutual TLS."""
    rule, service = by_wish(versions, Tls.DISABLE)
    own = {"tls": {"mode": Tls.ISTIO_MUTUAL.value}}
    for subset in rule["spec"]["subsets"]:
        if subset["name"] == excepted:
            subset["trafficPolicy"] = own
    return [rule, service]


def in_mode(sample: Sample, tls: Tls | None) -> list[Object]:
    """How to speak to helloworld, and nothing of where calls go."""
    short = sample.mesh.deployment.shares_gateways
    return [destination_rule(HOST, (), tls, short=short)]
