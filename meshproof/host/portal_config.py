"""What Envoy is told to be a portal: one listener a member, which leads to that member's API server
with the portal's own certificate, and with nothing by which a caller says who he is.

https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/bootstrap/v3/bootstrap.proto
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TYPES = "type.googleapis.com/envoy.extensions"
_CONNECTION, _HTTP = "filters.network.http_connection_manager.v3", "filters.http.router.v3"
IDENTITY_HEADERS = ("authorization", "impersonate-user", "impersonate-group", "impersonate-uid")
"""By which a client of an API server says who he is, or would be. Those called Impersonate-Extra-…
say more of Impersonate-User, without which an API server refuses them
(https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/)."""
FIRST_PORT = 8001
KEYS = "/etc/portal/keys"
"""Where Envoy finds what it shows to members, and knows them by: see ``key_files``."""
_CONNECT_WITHIN = "5s"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A member's API server. ``address``: by which the host reaches it, and which its certificate
    is for; ``port``: of TCP."""

    member: str
    address: str
    port: int


def key_files(member: str) -> tuple[str, str, str]:
    """What the files of a member are called: the portal's certificate there, its key, and the
    authority of the member's API server."""
    return f"{member}.crt", f"{member}.key", f"{member}.ca"


def ports(members: Sequence[str]) -> dict[str, int]:
    """Where Envoy listens for whom, by member."""
    return {name: FIRST_PORT + at for at, name in enumerate(members)}


def bootstrap(
    upstreams: Sequence[Upstream], removed: Sequence[str] = IDENTITY_HEADERS
) -> dict[str, Any]:
    """Envoy's configuration. ``removed``: the headers that never reach a member."""
    at = ports([one.member for one in upstreams])
    return {
        "static_resources": {
            "listeners": [_listener(one.member, at[one.member], removed) for one in upstreams],
            "clusters": [_cluster(one) for one in upstreams],
        }
    }


def _listener(member: str, port: int, removed: Sequence[str]) -> dict[str, Any]:
    route = {"match": {"prefix": "/"}, "route": {"cluster": member, "timeout": "0s"}}
    host = {
        "name": member,
        "domains": ["*"],
        "routes": [route],
        "request_headers_to_remove": list(removed),
    }
    forwarding = {"@type": f"{_TYPES}.{_HTTP}.Router"}
    manager = {
        "@type": f"{_TYPES}.{_CONNECTION}.HttpConnectionManager",
        "stat_prefix": member,
        "route_config": {"name": member, "virtual_hosts": [host]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": forwarding}],
    }
    chain = {
        "filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
        ]
    }
    return {"name": member, "address": _address("0.0.0.0", port), "filter_chains": [chain]}  # noqa: S104


def _cluster(one: Upstream) -> dict[str, Any]:
    certificate, key, authority = (f"{KEYS}/{name}" for name in key_files(one.member))
    tls = {
        "@type": f"{_TYPES}.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": {
            "tls_certificates": [
                {"certificate_chain": {"filename": certificate}, "private_key": {"filename": key}}
            ],
            "validation_context": {
                "trusted_ca": {"filename": authority},
                "match_typed_subject_alt_names": [
                    {"san_type": "IP_ADDRESS", "matcher": {"exact": one.address}}
                ],
            },
        },
    }
    endpoint: Mapping[str, Any] = {"endpoint": {"address": _address(one.address, one.port)}}
    return {
        "name": one.member,
        "type": "STATIC",
        "connect_timeout": _CONNECT_WITHIN,
        "load_assignment": {
            "cluster_name": one.member,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
    }


def _address(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}
