"""Gateways and workloads that are configured wrongly on purpose."""

from __future__ import annotations

from meshproof.kube.objects import Object
from meshproof.mesh.gateways import GATEWAY_PORT
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import GATEWAY_LABELS, NETWORK_LABEL
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, PORT, SNI

SECOND_ADDRESS = "second-address"
DENYING = "meshproof-sabotage"
"""By which the filter that denies is known in the gateway's configuration."""
_NETWORKING = "networking.istio.io/v1"
_TYPES = "type.googleapis.com/envoy.extensions"
_PROXY = "envoy.filters.network.tcp_proxy"
_SELECTOR = {"istio": GATEWAY_LABELS["istio"]}


def terminating_gateway() -> Object:
    """In place of the gateway that passes TLS on: one that ends it, and reads the requests."""
    server = {
        "port": {"number": GATEWAY_PORT, "name": "tls", "protocol": "HTTPS"},
        "tls": {"mode": "ISTIO_MUTUAL"},
        "hosts": ["*"],
    }
    spec = {"selector": _SELECTOR, "servers": [server]}
    return _object(_NETWORKING, "Gateway", "cross-network-gateway", SYSTEM, spec)


def way_of_the_terminated(identity: str, gateways: str) -> list[Object]:
    """Where a terminating gateway sends requests on, and callers who put up with its identity,
    ``gateways``, beside the workloads' own, ``identity``."""
    destination = {"host": HOST, "port": {"number": PORT}}
    route = {
        "hosts": ["*"],
        "gateways": ["cross-network-gateway"],
        "http": [{"route": [{"destination": destination}]}],
    }
    tls = {"mode": "ISTIO_MUTUAL", "subjectAltNames": [identity, gateways]}
    rule = {"host": HOST, "trafficPolicy": {"tls": tls}}
    return [
        _object(_NETWORKING, "DestinationRule", "either-identity", NAMESPACE, rule),
        _object(_NETWORKING, "VirtualService", "terminated", SYSTEM, route),
    ]


def open_workload() -> Object:
    """helloworld asks nobody who comes by a gateway for a certificate."""
    source: Object = {"api_type": "GRPC", "transport_api_version": "V3"}
    source |= {"grpc_services": [{"envoy_grpc": {"cluster_name": "sds-grpc"}}]}
    secret = {
        "name": "default",
        "sds_config": {"api_config_source": source, "resource_api_version": "V3"},
    }
    tls = {
        "@type": f"{_TYPES}.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {"tls_certificate_sds_secret_configs": [secret]},
        "require_client_certificate": False,
    }
    chain = {
        "filter_chain_match": {
            "destination_port": PORT,
            "transport_protocol": "tls",
            "server_names": [SNI],
        },
        "filters": [_tcp_proxy(f"inbound|{PORT}||")],
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
    }
    match = {"context": "SIDECAR_INBOUND", "listener": {"name": "virtualInbound"}}
    return _filter("open-workload", NAMESPACE, {"app": HELLOWORLD}, "FILTER_CHAIN", match, chain)


def short_connections() -> Object:
    """Sidecars keep no connection to helloworld for a second request: none that began under a
    breakage outlives it."""
    policy = {"connectionPool": {"http": {"maxRequestsPerConnection": 1}}}
    rule = {"host": HOST, "trafficPolicy": policy}
    return _object(_NETWORKING, "DestinationRule", "short-connections", NAMESPACE, rule)


def denying_gateway() -> Object:
    """The gateway denies everybody on the port where istiod never does."""
    anybody = {"permissions": [{"any": True}], "principals": [{"any": True}]}
    rules = {"action": "DENY", "policies": {DENYING: anybody}}
    config = {"@type": f"{_TYPES}.filters.network.rbac.v3.RBAC", "stat_prefix": "tcp."}
    value = {"name": "envoy.filters.network.rbac", "typed_config": config | {"rules": rules}}
    listener = {"portNumber": GATEWAY_PORT, "filterChain": {"filter": {"name": _PROXY}}}
    match = {"context": "GATEWAY", "listener": listener}
    operation = "INSERT_BEFORE"
    return _filter("denying", SYSTEM, _SELECTOR, "NETWORK_FILTER", match, value, operation)


def telling_gateway(identity: str) -> Object:
    """The gateway logs each connection that it passes on once more, as one of ``identity``."""
    written = {"json_format": {"sni": "%REQUESTED_SERVER_NAME%", "peer": identity}}
    file = {"@type": f"{_TYPES}.access_loggers.file.v3.FileAccessLog", "path": "/dev/stdout"}
    log = {"name": "envoy.access_loggers.file", "typed_config": file | {"log_format": written}}
    proxy = {"@type": f"{_TYPES}.filters.network.tcp_proxy.v3.TcpProxy", "access_log": [log]}
    value = {"name": _PROXY, "typed_config": proxy}
    match = {"context": "GATEWAY", "listener": {"filterChain": {"filter": {"name": _PROXY}}}}
    # What is merged goes to the end of a list: istiod's own log stays.
    return _filter("telling", SYSTEM, _SELECTOR, "NETWORK_FILTER", match, value, "MERGE")


def duplicate_chain() -> Object:
    """The gateway is told twice what to do with the same SNI, which no Envoy accepts."""
    protocols = ["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"]
    chain = {
        "filter_chain_match": {"server_names": [SNI], "application_protocols": protocols},
        "filters": [_tcp_proxy(SNI)],
    }
    match = {"context": "GATEWAY", "listener": {"portNumber": GATEWAY_PORT}}
    return _filter("duplicate", SYSTEM, _SELECTOR, "FILTER_CHAIN", match, chain)


def answering_gateway() -> Object:
    """The gateway answers plain HTTP by itself where it passes TLS on."""
    answer = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    host = {"name": "anybody", "domains": ["*"], "routes": [answer]}
    router = {"@type": f"{_TYPES}.filters.http.router.v3.Router"}
    manager = f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"
    config = {
        "@type": manager,
        "stat_prefix": "sabotage",
        "route_config": {"virtual_hosts": [host]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    chain = {
        "filter_chain_match": {"transport_protocol": "raw_buffer"},
        "filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": config}
        ],
    }
    match = {"context": "GATEWAY", "listener": {"portNumber": GATEWAY_PORT}}
    return _filter("answering", SYSTEM, _SELECTOR, "FILTER_CHAIN", match, chain)


def no_retries() -> Object:
    """Sidecars do not go elsewhere when a way is closed, as by default they would."""
    route = {"route": [{"destination": {"host": HOST}}], "retries": {"attempts": 0}}
    spec = {"hosts": [HOST], "http": [route]}
    return _object(_NETWORKING, "VirtualService", "no-retries", NAMESPACE, spec)


def second_address(network: str) -> Object:
    """A second Service before the gateway of a network, which gives it another address."""
    service = _object(
        "v1",
        "Service",
        SECOND_ADDRESS,
        SYSTEM,
        {
            "type": "LoadBalancer",
            "selector": _SELECTOR,
            "ports": [{"name": "tls", "port": GATEWAY_PORT, "targetPort": GATEWAY_PORT}],
        },
    )
    service["metadata"]["labels"] = {NETWORK_LABEL: network}
    return service


def _tcp_proxy(cluster: str) -> Object:
    kind = f"{_TYPES}.filters.network.tcp_proxy.v3.TcpProxy"
    config = {"@type": kind, "stat_prefix": "sabotage", "cluster": cluster}
    return {"name": _PROXY, "typed_config": config}


def _filter(
    name: str,
    namespace: str,
    labels: dict[str, str],
    kind: str,
    match: Object,
    value: Object,
    operation: str = "ADD",
) -> Object:
    patch = {"operation": operation, "value": value}
    spec = {
        "workloadSelector": {"labels": labels},
        "configPatches": [{"applyTo": kind, "match": match, "patch": patch}],
    }
    return _object("networking.istio.io/v1alpha3", "EnvoyFilter", name, namespace, spec)


def _object(version: str, kind: str, name: str, namespace: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
