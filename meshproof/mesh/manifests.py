"""The objects beside istioctl's: namespaces, gateways' listeners, mTLS, istiod's own address."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from meshproof.kube.objects import Object
from meshproof.mesh.operator_config import GATEWAY_LABELS, GATEWAY_PORTS, NETWORK_LABEL
from meshproof.model import Member, Mtls

SYSTEM = "istio-system"
ISTIOD_ADDRESS = "istiod-internal"
"""The Service by which remotes on the same network reach istiod."""
REGION_LABEL = "topology.kubernetes.io/region"
ZONE_LABEL = "topology.kubernetes.io/zone"
LOCALITY_LABEL = "istio-locality"
"""Where a pod or a machine is, in place of its node's labels."""
SHORT_CONNECTIONS: Object = {"connectionPool": {"http": {"maxRequestsPerConnection": 1}}}
"""A traffic policy by which no connection is kept for a second request."""
_NETWORKING = "networking.istio.io/v1"
_MODES = {Mtls.STRICT: "STRICT", Mtls.PERMISSIVE: "PERMISSIVE", Mtls.DISABLED: "DISABLE"}


def system_namespace(member: Member, served_by: str | None, *, labelled: bool) -> Object:
    """istio-system; a remote's names the cluster that may take it over, ``served_by``.

    ``labelled``: whether it says which network the cluster is on
    (https://istio.io/latest/docs/setup/install/multicluster/primary-remote_multi-network/).
    """
    labels = {NETWORK_LABEL: member.network} if labelled else {}
    annotations = {"topology.istio.io/controlPlaneClusters": served_by} if served_by else {}
    metadata = {"name": SYSTEM, "labels": labels, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def node_labels(member: Member, nodes: Sequence[str]) -> dict[str, dict[str, str]]:
    """By the name of each node that a topology says something of, where it is, as labels.

    ``nodes``: their names, the control plane's first. Each worker gets one of the zones in turn,
    or the only node the only zone
    (https://kubernetes.io/docs/reference/labels-annotations-taints/#topologykubernetesiozone).
    """
    if not member.region:
        return {}
    region = {REGION_LABEL: member.region}
    if not member.zones:
        return dict.fromkeys(nodes, region)
    workers = nodes[1:] or nodes
    zones = zip(workers, cycle(member.zones), strict=False)
    return {name: region | {ZONE_LABEL: zone} for name, zone in zones}


def node_localities(member: Member, nodes: Sequence[str]) -> list[Object]:
    """The nodes of a cluster with those labels, to be applied."""
    return [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
        for name, labels in node_labels(member, nodes).items()
    ]


def cross_network_gateway(ports: Sequence[int]) -> Object:
    """The gateways pass on TLS of any service of the mesh, by its SNI, unterminated.

    ``ports``: those of the gateways' Services by which other networks come in.
    """
    return passing_on("cross-network-gateway", ports, ["*.local"])


def passing_on(name: str, ports: Sequence[int], hosts: Sequence[str]) -> Object:
    """A Gateway by which the gateways pass on TLS of these hosts, by its SNI, unterminated."""
    servers = [
        {
            "port": {"number": port, "name": f"tls-{port}", "protocol": "TLS"},
            "tls": {"mode": "AUTO_PASSTHROUGH"},
            "hosts": list(hosts),
        }
        for port in ports
    ]
    return _gateway(name, servers)


def federation_gateway(ports: Sequence[int], hosts: Sequence[str]) -> Object:
    """The gateways pass on what other meshes send to these hosts, the global names of services
    that this one exposes. A pattern would also carry strangers on to what it only imports."""
    return passing_on("federation-gateway", ports, hosts)


def short_connections() -> Object:
    """Sidecars keep no connection for a second request. A gateway leads each connection to one
    instance: where there are several versions behind one, all of them answer only by many."""
    return {
        "apiVersion": _NETWORKING,
        "kind": "DestinationRule",
        "metadata": {"name": "short-connections", "namespace": SYSTEM},
        "spec": {"host": "*.local", "trafficPolicy": SHORT_CONNECTIONS},
    }


def istiod_by_gateway(istiod: str, *others: str) -> list[Object]:
    """The gateway also leads to istiod: discovery on 15012, its webhook on 15017.

    ``istiod``: its Service's name; ``others``: those of further revisions, to which what asks for
    them by their own names is led (samples/multicluster/expose-istiod-rev.yaml.tmpl of Istio).
    """
    ports = {"tls-istiod": GATEWAY_PORTS["tls-istiod"], "tls-webhook": GATEWAY_PORTS["tls-webhook"]}
    servers = [
        {
            "port": {"number": number, "name": name, "protocol": "TLS"},
            "tls": {"mode": "PASSTHROUGH"},
            "hosts": ["*"],
        }
        for name, number in ports.items()
    ]
    named = [
        ([f"{other}.{SYSTEM}.svc", f"{other}.{SYSTEM}.svc.cluster.local"], other)
        for other in others
    ]
    targets = {ports["tls-istiod"]: 15012, ports["tls-webhook"]: 443}
    routes = [
        _passed_on(number, names, service, to)
        for names, service in (*named, (["*"], istiod))
        for number, to in targets.items()
    ]
    service = {
        "apiVersion": _NETWORKING,
        "kind": "VirtualService",
        "metadata": {"name": "istiod", "namespace": SYSTEM},
        "spec": {"hosts": ["*"], "gateways": ["istiod-gateway"], "tls": routes},
    }
    return [_gateway("istiod-gateway", servers), service]


def _passed_on(port: int, names: Sequence[str], service: str, to: int) -> Object:
    """TLS for one of these names at a port is passed on to a port of a service beside istiod."""
    host = f"{service}.{SYSTEM}.svc.cluster.local"
    return {
        "match": [{"port": port, "sniHosts": names}],
        "route": [{"destination": {"host": host, "port": {"number": to}}}],
    }


def istiod_by_address(name: str = ISTIOD_ADDRESS, revision: str = "") -> Object:
    """An internal load balancer before istiod: on one network no gateway is needed.

    ``revision``: whose istiods it leads to, where it is for one of several.
    """
    ports = {"tcp-istiod": 15012, "tcp-webhook": 15017}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": SYSTEM},
        "spec": {
            "type": "LoadBalancer",
            "selector": {"app": "istiod"} | ({"istio.io/rev": revision} if revision else {}),
            "ports": [
                {"name": name, "port": port, "targetPort": port} for name, port in ports.items()
            ],
        },
    }


def peer_authentication(mtls: Mtls) -> Object:
    """The mesh-wide mTLS mode."""
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "default", "namespace": SYSTEM},
        "spec": {"mtls": {"mode": _MODES[mtls]}},
    }


def _gateway(name: str, servers: list[Object]) -> Object:
    return {
        "apiVersion": _NETWORKING,
        "kind": "Gateway",
        "metadata": {"name": name, "namespace": SYSTEM},
        "spec": {"selector": {"istio": GATEWAY_LABELS["istio"]}, "servers": servers},
    }
