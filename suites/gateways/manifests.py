"""What is applied: authorization policies, and destination rules whose subsets are twins."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.kube.objects import Object
from meshproof.mesh.manifests import SHORT_CONNECTIONS, SYSTEM
from meshproof.mesh.operator_config import GATEWAY_LABELS, GATEWAY_PORTS, NETWORK_LABEL
from meshproof.mesh.routes import host_of
from meshproof.traffic.policies import principals
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, SLEEP, Sample

OPEN_PATH, CLOSED_PATH = "/hello", "/closed"
TWINS = ("twin-one", "twin-two")
GOVERNED_SNI = "governed.meshproof.test"
GOVERNED_PORT = GATEWAY_PORTS["tls-istiod"]
"""A port of the gateway's Service whose listener is PASSTHROUGH."""
_WORKLOAD = {"app": HELLOWORLD}


def denying_sleep(sample: Sample) -> Object:
    """helloworld denies sleep, by its identity."""
    rule = {"from": _principal(sample, SLEEP)}
    return _policy("deny-sleep", NAMESPACE, _WORKLOAD, "DENY", [rule])


def allowing_sleep(sample: Sample) -> Object:
    """helloworld allows sleep one path, and another path somebody who does not exist, with whose
    name sleep's begins: a rule is for just the names that it says."""
    rules = [
        {"from": _principal(sample, SLEEP), "to": _path(OPEN_PATH)},
        {"from": _principal(sample, SLEEP[:-1]), "to": _path(CLOSED_PATH)},
    ]
    return _policy("allow-sleep", NAMESPACE, _WORKLOAD, "ALLOW", rules)


def denying_all_at_the_gateway(network: str) -> Object:
    """The gateway of a network denies everybody everything."""
    return _policy("deny-all", SYSTEM, _gateway_of(network), "DENY", [{}])


def governed_way(network: str) -> list[Object]:
    """The gateway of a network leads to its API server by SNI, as PASSTHROUGH, which policies
    govern: nobody behind has a sidecar, so that nothing else can refuse."""
    name, metadata = "governed", {"name": "governed", "namespace": SYSTEM}
    server = {
        "port": {"number": GOVERNED_PORT, "name": "tls-governed", "protocol": "TLS"},
        "tls": {"mode": "PASSTHROUGH"},
        "hosts": [GOVERNED_SNI],
    }
    api = {"host": host_of("kubernetes", "default"), "port": {"number": 443}}
    route = {
        "match": [{"port": GOVERNED_PORT, "sniHosts": [GOVERNED_SNI]}],
        "route": [{"destination": api}],
    }
    spec = {"hosts": [GOVERNED_SNI], "gateways": [name], "tls": [route]}
    return [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "Gateway",
            "metadata": metadata,
            "spec": {"selector": _gateway_of(network), "servers": [server]},
        },
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": metadata,
            "spec": spec,
        },
    ]


def twin_subsets(*, short: bool) -> list[Object]:
    """Two rules for one host, of two subsets with the same labels each; both name the same two.

    ``short``: no connection is kept for a second request, as the mesh's own rule has it where
    several versions share a gateway: these rules take its place.
    """
    policy = {"trafficPolicy": SHORT_CONNECTIONS} if short else {}
    subsets = [{"name": name, "labels": _WORKLOAD} for name in TWINS]
    return [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "DestinationRule",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"host": HOST, "subsets": subsets, **policy},
        }
        for name in ("twins", "twins-again")
    ]


def _gateway_of(network: str) -> dict[str, str]:
    return {"istio": GATEWAY_LABELS["istio"], NETWORK_LABEL: network}


def _principal(sample: Sample, account: str) -> list[Object]:
    return [{"source": {"principals": principals(sample, account)}}]


def _path(path: str) -> list[Object]:
    return [{"operation": {"paths": [path]}}]


def _policy(
    name: str, namespace: str, labels: dict[str, str], action: str, rules: Sequence[Object]
) -> Object:
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "action": action, "rules": list(rules)},
    }
