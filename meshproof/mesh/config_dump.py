"""The parts of a proxy's configuration that it uses now."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from cryptography import x509

from meshproof.kube.workload import Workload

ROUTES = "dynamic_route_configs"
CLUSTERS = "dynamic_active_clusters"
LISTENERS = "dynamic_listeners"
SECRETS = "dynamic_active_secrets"
_ENDPOINTS = "dynamic_endpoint_configs"
_INBOUND, _PORT = "virtualInbound", "destination_port"
_EXACT = re.compile(r'"exact": "(spiffe://[^"]+)"')
# A listener that was replaced stays for its connections' sake, one that is to come waits.
_NOT_IN_USE = ("draining_state", "warming_state", "error_state")


def in_use(workload: Workload, part: str) -> str:
    """What the workload's proxy uses of a part of its configuration, as JSON.

    Raises EvidenceError when the proxy does not answer.
    """
    configs = json.loads(workload.admin(f"config_dump?resource={part}")).get("configs", [])
    kept = [
        {name: value for name, value in one.items() if name not in _NOT_IN_USE} for one in configs
    ]
    return json.dumps(kept)


def accepted_names(workload: Workload, cluster: str) -> set[str]:
    """The SPIFFE URIs that the workload's proxy takes from servers of an Envoy cluster, such as
    "outbound|5000||helloworld.sample.svc.cluster.local"; none when it has no such cluster.

    Raises EvidenceError when the proxy does not answer.
    """
    used = [one.get("cluster", {}) for one in json.loads(in_use(workload, CLUSTERS))]
    texts = [json.dumps(one) for one in used if one.get("name") == cluster]
    return {name for text in texts for name in _EXACT.findall(text)}


def takes_plain_text(workload: Workload, port: int) -> bool:
    """Whether the workload's proxy has a filter chain for plain text to a port of its own.

    Raises EvidenceError when the proxy does not answer.
    """
    return _takes(workload, port, "raw_buffer")


def takes_tls(workload: Workload, port: int) -> bool:
    """The same for TLS."""
    return _takes(workload, port, "tls")


def inbound_ports(workload: Workload) -> set[int]:
    """The ports of its own for which the workload's proxy has filter chains: those of the services
    that it stands behind.

    Raises EvidenceError when the proxy does not answer.
    """
    ports = (one.get(_PORT) for one in _inbound(workload))
    return {int(port) for port in ports if port is not None}


def inbound_chains(workload: Workload, port: int) -> str:
    """The filter chains by which the workload's proxy takes calls to a port of its own, as JSON;
    "[]" when there is none, and calls meet those for ports that no service names.

    Raises EvidenceError when the proxy does not answer.
    """
    return json.dumps([one for one in _chains(workload) if _match(one).get(_PORT) == port])


def endpoint_clusters(workload: Workload, cluster: str) -> dict[str, str]:
    """The id of the Kubernetes cluster that each endpoint of an Envoy cluster is told to be in, ""
    where its metadata does not say, by its "address:port".

    Raises EvidenceError when the proxy does not answer.
    """
    path = f"config_dump?include_eds&resource={_ENDPOINTS}"
    configs = json.loads(workload.admin(path)).get("configs", [])
    assigned = [one.get("endpoint_config", {}) for one in configs]
    found: dict[str, str] = {}
    for one in assigned:
        if one.get("cluster_name") == cluster:
            for group in one.get("endpoints", []):
                found |= dict(map(_told, group.get("lb_endpoints", [])))
    return found


def shown_chain(workload: Workload) -> tuple[x509.Certificate, ...]:
    """The certificates that the workload's proxy shows, its own first; () when it has none.

    Raises EvidenceError when the proxy does not answer.
    """
    return _certificates(workload, "tls_certificate", "certificate_chain")


def trusted_roots(workload: Workload) -> tuple[x509.Certificate, ...]:
    """The roots that the workload's proxy trusts; () when it has none.

    Raises EvidenceError when the proxy does not answer.
    """
    return _certificates(workload, "validation_context", "trusted_ca")


def _certificates(workload: Workload, kind: str, part: str) -> tuple[x509.Certificate, ...]:
    secrets = [one.get("secret", {}) for one in json.loads(in_use(workload, SECRETS))]
    texts = [one.get(kind, {}).get(part, {}).get("inline_bytes", "") for one in secrets]
    pems = [base64.b64decode(text) for text in texts if text]
    return tuple(one for pem in pems for one in x509.load_pem_x509_certificates(pem))


def _inbound(workload: Workload) -> list[dict[str, Any]]:
    """What the filter chains match by which the workload's proxy takes calls."""
    return [_match(one) for one in _chains(workload)]


def _chains(workload: Workload) -> list[dict[str, Any]]:
    used = json.loads(in_use(workload, LISTENERS))
    listeners = [one.get("active_state", {}).get("listener", {}) for one in used]
    inbound = [one for one in listeners if one.get("name") == _INBOUND]
    return [chain for one in inbound for chain in one.get("filter_chains", [])]


def _match(chain: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = chain.get("filter_chain_match", {})
    return found


def _told(endpoint: dict[str, Any]) -> tuple[str, str]:
    """An endpoint's address and port, and its cluster: the last field of what Istio notes of its
    workload, "name;namespace;service;revision;cluster"."""
    at = endpoint["endpoint"]["address"].get("socket_address", {})
    metadata = endpoint.get("metadata", {}).get("filter_metadata", {})
    workload = str(metadata.get("istio", {}).get("workload", ""))
    return f"{at.get('address')}:{at.get('port_value')}", workload.rpartition(";")[2]


def _takes(workload: Workload, port: int, transport: str) -> bool:
    theirs = [one for one in _inbound(workload) if one.get("transport_protocol") == transport]
    return any(one.get(_PORT) == port for one in theirs)
