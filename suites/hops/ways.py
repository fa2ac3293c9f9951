"""The ways by which calls go on from gateway to gateway, as rules.

https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

from meshproof.kube.objects import Object
from meshproof.mesh.routes import Tls, destination_rule, host_of
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, PORT

INGRESS, RELAY, EXTERNAL = "ingress", "relay", "external"
RELAY_HOST = host_of(RELAY, NAMESPACE)
WAY_PORT = 8080
ENTRANCE = "entrance.meshproof.test"
"""The host of requests that come in."""
BEYOND = "beyond.meshproof.test"
"""The host of the server outside the mesh."""
_NETWORKING = "networking.istio.io/v1"


def listening() -> list[Object]:
    """The ingress takes plain HTTP for its host, the relay what comes by mutual TLS alone; and
    whoever calls the relay speaks that."""
    entrance = _server("HTTP", ENTRANCE)
    # Not by SNI: across networks a call bears the name that leads it to the relay.
    passage = _server("HTTPS", "*") | {"tls": {"mode": Tls.ISTIO_MUTUAL.value}}
    return [
        _object("Gateway", INGRESS, {"selector": {"app": INGRESS}, "servers": [entrance]}),
        _object("Gateway", RELAY, {"selector": {"app": RELAY}, "servers": [passage]}),
        destination_rule(RELAY_HOST, (), Tls.ISTIO_MUTUAL),
    ]


def way_in() -> list[Object]:
    """What comes in by the ingress goes on to the relay, and from there to helloworld."""
    return [
        _way("way-in", ENTRANCE, INGRESS, RELAY_HOST, WAY_PORT),
        _way("way-on", ENTRANCE, RELAY, HOST, PORT),
    ]


def short_cut() -> Object:
    """What comes in by the ingress goes to helloworld at once: in the way's place."""
    return _way("way-in", ENTRANCE, INGRESS, HOST, PORT)


def beyond(address: IPv4Address) -> Object:
    """The server outside the mesh, as the mesh is told of it."""
    spec = {
        "hosts": [BEYOND],
        "location": "MESH_EXTERNAL",
        "resolution": "STATIC",
        "ports": [{"number": PORT, "name": "http", "protocol": "HTTP"}],
        "endpoints": [{"address": str(address)}],
    }
    return _object("ServiceEntry", "beyond", spec)


def way_out() -> Object:
    """Calls from the mesh for what is outside go to the relay, and from there outside."""
    inside = {
        "match": [{"gateways": ["mesh"], "port": PORT}],
        "route": [{"destination": {"host": RELAY_HOST, "port": {"number": WAY_PORT}}}],
    }
    outside = {
        "match": [{"gateways": [RELAY], "port": WAY_PORT}],
        "route": [{"destination": {"host": BEYOND, "port": {"number": PORT}}}],
    }
    spec = {"hosts": [BEYOND], "gateways": ["mesh", RELAY], "http": [inside, outside]}
    return _object("VirtualService", "way-out", spec)


def denying(name: str, identities: Sequence[str]) -> Object:
    """helloworld denies these identities, as policies call them.

    https://istio.io/latest/docs/reference/config/security/authorization-policy/
    """
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"app": HELLOWORLD}},
            "action": "DENY",
            "rules": [{"from": [{"source": {"principals": list(identities)}}]}],
        },
    }


def _way(name: str, host: str, gateway: str, to: str, port: int) -> Object:
    route = {"route": [{"destination": {"host": to, "port": {"number": port}}}]}
    return _object(
        "VirtualService", name, {"hosts": [host], "gateways": [gateway], "http": [route]}
    )


def _server(protocol: str, host: str) -> Object:
    port = {"number": WAY_PORT, "name": protocol.lower(), "protocol": protocol}
    return {"port": port, "hosts": [host]}


def _object(kind: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": _NETWORKING, "kind": kind, "metadata": metadata, "spec": spec}
