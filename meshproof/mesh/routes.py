"""Istio's routing of a service, as objects: VirtualService, DestinationRule and Telemetry.

Each object has a name of its own, so that a proxy's configuration tells whether it has come.
Fields: https://istio.io/latest/docs/reference/config/networking/.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from enum import Enum

from meshproof.kube.objects import Object
from meshproof.mesh.manifests import SHORT_CONNECTIONS, SYSTEM

_NETWORKING = "networking.istio.io/v1"


class Tls(Enum):
    """How a DestinationRule has a proxy speak to the service's instances."""

    ISTIO_MUTUAL = "ISTIO_MUTUAL"
    SIMPLE = "SIMPLE"
    DISABLE = "DISABLE"


def host_of(name: str, namespace: str) -> str:
    """The full name of a service."""
    return f"{name}.{namespace}.svc.cluster.local"


def destination_rule(
    host: str, versions: Collection[str], tls: Tls | None = None, *, short: bool = False
) -> Object:
    """A subset for each version, called like it. ``tls``: None leaves the mode to auto mTLS;
    ``short``: no connection is kept for a second request."""
    subsets = [{"name": version, "labels": {"version": version}} for version in versions]
    policy: Object = {"tls": {"mode": tls.value}} if tls else {}
    policy |= SHORT_CONNECTIONS if short else {}
    told = {"trafficPolicy": policy} if policy else {}
    return _object("DestinationRule", host, {"host": host, "subsets": subsets, **told})


def virtual_service(host: str, routes: Sequence[Object]) -> Object:
    """HTTP routes in the order in which they are tried."""
    return _object("VirtualService", host, {"hosts": [host], "http": list(routes)})


def to_versions(
    host: str, weights: Mapping[str, int], headers: Mapping[str, str] | None = None
) -> Object:
    """A route to subsets by weight, in percent. ``headers``: only for calls that have these."""
    route = [
        {"destination": {"host": host, "subset": version}, "weight": weight}
        for version, weight in weights.items()
    ]
    exact = {name: {"exact": value} for name, value in (headers or {}).items()}
    return {"route": route, **({"match": [{"headers": exact}]} if exact else {})}


def marking(route: Object, headers: Mapping[str, str]) -> Object:
    """The route, on which each request gets these headers."""
    return {**route, "headers": {"request": {"set": dict(headers)}}}


def aborting(host: str, status: int) -> Object:
    """A route on which the caller's proxy answers every call itself, with this status."""
    fault = {"abort": {"httpStatus": status, "percentage": {"value": 100}}}
    return {"fault": fault, "route": [{"destination": {"host": host}}]}


def without_access_logs() -> Object:
    """The mesh's access logs, switched off by the Telemetry API.

    It names the provider: where ``accessLogFile`` is set and no default provider, Istio would
    take no notice of it otherwise.
    """
    off = {"providers": [{"name": "envoy"}], "disabled": True}
    return {
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
        "metadata": {"name": f"no-access-logs-{secrets.token_hex(3)}", "namespace": SYSTEM},
        "spec": {"accessLogging": [off]},
    }


def _object(kind: str, host: str, spec: Object) -> Object:
    service, namespace = host.split(".")[:2]
    name = f"{service}-{secrets.token_hex(3)}"
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": _NETWORKING, "kind": kind, "metadata": metadata, "spec": spec}
