"""What istioctl is told: one IstioOperator document for each installation, as plain data.

Fields are those of https://istio.io/latest/docs/reference/config/istio.operator.v1alpha1/ and
the values of Istio's charts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from meshproof.artifacts import filters
from meshproof.kube.dns import load_balancer_name
from meshproof.model import Deployment, Gateway, Member
from meshproof.model.member import TLS_PORT

Document = dict[str, Any]

GATEWAY = "istio-eastwestgateway"
GATEWAY_LABELS = {"istio": "eastwestgateway", "app": GATEWAY}
GATEWAY_PORTS = {"status-port": 15021, "tls": TLS_PORT, "tls-istiod": 15012, "tls-webhook": 15017}
NETWORK_LABEL = "topology.istio.io/network"
PORT_LABEL = "networking.istio.io/gatewayPort"

# What a call left behind in a sidecar; the first field is how a call is found again.
ACCESS_LOG = {
    "request_id": "%REQ(X-REQUEST-ID)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_local": "%UPSTREAM_LOCAL_ADDRESS%",
    "upstream_cluster": "%UPSTREAM_CLUSTER_RAW%",
    "upstream_failure": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "upstream_peer": "%UPSTREAM_PEER_URI_SAN%",
    "peer": "%DOWNSTREAM_PEER_URI_SAN%",
    "peer_issuer": "%DOWNSTREAM_PEER_ISSUER%",
    "sni": "%REQUESTED_SERVER_NAME%",
    "tls": "%DOWNSTREAM_TLS_VERSION%",
    "method": "%REQ(:METHOD)%",
    "downstream": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "received": "%BYTES_RECEIVED%",
    "local": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "failure": "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%",
    "termination": "%CONNECTION_TERMINATION_DETAILS%",
}
DRAIN_SECONDS = 1
"""For so long proxies ask their clients to close connections of a listener that was replaced."""
TRACES = "meshproof-traces"
"""What the mesh's configuration calls its tracing provider, and where that is to be."""
TRACES_SERVICE, TRACES_NAMESPACE, TRACES_PORT = "traces", "outside", 9411
AT_HOME = "at-home.sample.svc.cluster.local"
"""A service that is cluster-local by the mesh's configuration: nobody calls another cluster's
instances of it."""
_SWITCHES = {
    "PILOT_ENABLE_ALPN_FILTER": filters.ALPN,
    "PILOT_ENABLE_METADATA_EXCHANGE": filters.METADATA,
}
"""istiod's switches of filters that plain Envoy does not have, and the filters. That of statistics
is telemetry's."""
_SMALL = {"requests": {"cpu": "10m", "memory": "64Mi"}}
_CONTROL_PLANE, _EAST_WEST = "control-plane", "eastwest"
"""What istioctl knows the two installations of a cluster by. One without a name takes the objects
of all others of its version and revision for its own, and deletes those that it does not list
(https://github.com/istio/istio/issues/29633): who goes back to the older Istio before the gateway
was upgraded would lose the gateway."""


@dataclass(frozen=True, slots=True)
class Images:
    """Where a cluster's nodes find pilot and proxyv2.

    ``filters_off``: those of Istio's own filters that the proxy lacks, so that istiod must not
    configure them.
    """

    hub: str
    tag: str
    filters_off: tuple[str, ...] = ()

    @property
    def proxy(self) -> str:
        """What sidecars and gateways are of, as the injector writes it."""
        return f"{self.hub}/proxyv2:{self.tag}"


def primary(deployment: Deployment, member: Member, images: Images, networks: Document) -> Document:
    """istiod for a primary. ``networks``: what ``meshNetworks`` says, {} where labels do."""
    # Only then does istiod listen to its remotes' API servers for webhooks and certificates.
    has_remotes = bool(deployment.topology.served_by(member.name))
    values = _values(member, images)
    values["global"] |= {"externalIstiod": has_remotes, "meshNetworks": networks}
    values["pilot"] = _pilot(images)
    document = _document("default", images, values, deployment.revision)
    document["spec"]["meshConfig"] = _mesh_config(deployment, member)
    return document


def trusting(document: Document, roots: Sequence[str]) -> Document:
    """A primary's document with further roots, in PEM, that its mesh's proxies trust
    (``caCertificates`` of https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/).

    istiod tells of them only with ISTIO_MULTIROOT_MESH, and an agent takes them up only with
    PROXY_CONFIG_XDS_AGENT (https://github.com/istio/istio/pull/30506).
    """
    document["spec"]["values"]["pilot"]["env"]["ISTIO_MULTIROOT_MESH"] = "true"
    config = document["spec"]["meshConfig"]
    config["caCertificates"] = [{"pem": one} for one in roots]
    config["defaultConfig"]["proxyMetadata"] = {"PROXY_CONFIG_XDS_AGENT": "true"}
    return document


def external(deployment: Deployment, member: Member, images: Images) -> Document:
    """istiod outside the clusters that it serves, for the first of which it takes itself.

    It finds mesh configuration and injection templates there too, and its remote secrets here
    (https://istio.io/latest/docs/setup/install/external-controlplane/).
    """
    config = deployment.topology[deployment.topology.config_cluster(member.name)]
    values = _values(config, images)
    values["global"] |= {
        "externalIstiod": True,
        # Webhooks are the served clusters' affair.
        "operatorManageWebhooks": True,
        "configValidation": False,
    }
    values["pilot"] = _pilot(images)
    values["pilot"]["env"]["LOCAL_CLUSTER_SECRET_WATCHER"] = "true"  # noqa: S105 - a switch
    document = _document("empty", images, values, deployment.revision)
    document["spec"]["components"] = {"pilot": {"enabled": True}}
    return document


def remote(deployment: Deployment, member: Member, images: Images, istiod: IPv4Address) -> Document:
    """What a remote needs of Istio; ``istiod``: where it reaches its control plane's."""
    values = _values(member, images)
    values["global"]["remotePilotAddress"] = str(istiod)
    path = f"/inject/cluster/{member.name}/net/{member.network}"
    values["istiodRemote"] = {"injectionPath": path}
    return _document("remote", images, values, deployment.revision)


def config_cluster(
    deployment: Deployment,
    member: Member,
    images: Images,
    istiod: IPv4Address,
    networks: Document,
) -> Document:
    """A remote that also keeps what an istiod outside goes by: its account, the mesh's
    configuration, and the injection templates. ``networks``: as for ``primary``."""
    document = remote(deployment, member, images, istiod)
    values = document["spec"]["values"]
    values["global"] |= {
        "configCluster": True,
        "omitSidecarInjectorConfigMap": False,
        "meshNetworks": networks,
    }
    values["pilot"] = {"configMap": True}
    document["spec"]["meshConfig"] = _mesh_config(deployment, member)
    if deployment.revision:
        # The chart leaves the revision out of the address that it writes for a config cluster.
        address = f"istiod-{deployment.revision}.istio-system.svc:15012"
        document["spec"]["meshConfig"]["defaultConfig"]["discoveryAddress"] = address
    return document


def gateway(deployment: Deployment, member: Member, images: Images, *, labelled: bool) -> Document:
    """An east-west gateway. ``labelled``: its Service tells which network it leads to."""
    tls = member.gateway.port if member.gateway is not None else TLS_PORT
    labels = GATEWAY_LABELS | ({NETWORK_LABEL: member.network} if labelled else {})
    if labelled and tls != TLS_PORT:
        labels |= {PORT_LABEL: str(tls)}
    component = {
        "name": GATEWAY,
        "enabled": True,
        "label": labels,
        "k8s": {
            # What comes in here is meant for this network's own endpoints.
            "env": [{"name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": member.network}],
            "resources": _SMALL,
            "podAnnotations": {"proxy.istio.io/config": _gateway_statistics()},
            "service": {
                "ports": [
                    {"name": name, "port": tls if name == "tls" else port, "targetPort": port}
                    for name, port in GATEWAY_PORTS.items()
                ]
            },
        },
    }
    values = _values(member, images)
    values["gateways"] = {
        "istio-ingressgateway": {"injectionTemplate": "gateway", "autoscaleEnabled": False}
    }
    document = _document("empty", images, values, deployment.revision, _EAST_WEST)
    document["spec"]["components"] = {"ingressGateways": [component]}
    return document


def mesh_networks(
    deployment: Deployment, reader: Member, gateways: Mapping[str, IPv4Address]
) -> Document:
    """``meshNetworks``: each network's endpoints by the cluster they come from, and its gateways.

    ``reader``: whose istiod is told, of the networks of its own mesh; ``gateways``: each
    cluster's gateway address.
    """
    topology = deployment.topology
    mesh = [topology[name] for name in topology.workloads if topology[name].mesh == reader.mesh]
    return {
        network: {
            "endpoints": [
                {"fromRegistry": member.name} for member in mesh if member.network == network
            ],
            "gateways": [
                {"address": _announced(gateway, gateways[member.name]), "port": gateway.port}
                for member in mesh
                if member.network == network and (gateway := member.gateway) is not None
            ],
        }
        for network in dict.fromkeys(member.network for member in mesh)
    }


def _announced(gateway: Gateway, address: IPv4Address) -> str:
    return load_balancer_name(address) if gateway.hostname else str(address)


def _pilot(images: Images) -> Document:
    off = [switch for switch, name in _SWITCHES.items() if name in images.filters_off]
    environment = dict.fromkeys(off, "false")
    return {"resources": _SMALL, "autoscaleEnabled": False, "env": environment}


def _document(
    profile: str, images: Images, values: Document, revision: str, name: str = _CONTROL_PLANE
) -> Document:
    spec: Document = {
        "profile": profile,
        "hub": images.hub,
        "tag": images.tag,
        "values": values,
    }
    if profile == "default":
        off = {"name": "istio-ingressgateway", "enabled": False}
        spec["components"] = {"ingressGateways": [off]}
    if revision:
        spec["revision"] = revision
    return {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": name, "namespace": "istio-system"},
        "spec": spec,
    }


def _values(member: Member, images: Images) -> Document:
    return {
        "global": {
            "meshID": member.mesh.name,
            "multiCluster": {"clusterName": member.name},
            "network": member.network,
            # Nothing is pulled while a mesh comes up: images are in the nodes.
            "imagePullPolicy": "IfNotPresent",
            # Asked every 15 s, as by default, a gateway is ready long before anybody knows.
            "proxy": {"resources": _SMALL, "readinessPeriodSeconds": 1},
        },
        # Telemetry's statistics are a filter that plain Envoy does not have.
        "telemetry": {"enabled": filters.STATS not in images.filters_off},
    }


def _mesh_config(deployment: Deployment, member: Member) -> Document:
    others = deployment.trust_domain_aliases(member)
    aliases = {"trustDomainAliases": list(others)} if others else {}
    return {
        "trustDomain": member.mesh.trust_domain,
        **aliases,
        "accessLogFile": "/dev/stdout",
        "accessLogEncoding": "JSON",
        "accessLogFormat": json.dumps(ACCESS_LOG),
        # Drained for 45 s, as by default, nobody would know when connections of a listener that
        # was replaced are closed, and whose call meets that. Flushed once a second, as by default
        # and in any Istio before 1.29, every verdict waits for its line in a log.
        "defaultConfig": {"drainDuration": f"{DRAIN_SECONDS}s", "fileFlushInterval": "0.02s"},
        # In no mesh until a test makes this service.
        "serviceSettings": [{"settings": {"clusterLocal": True}, "hosts": [AT_HOME]}],
        # Nothing is traced until a Telemetry asks for it.
        "extensionProviders": [
            {
                "name": TRACES,
                "zipkin": {
                    "service": f"{TRACES_SERVICE}.{TRACES_NAMESPACE}.svc.cluster.local",
                    "port": TRACES_PORT,
                },
            }
        ],
    }


def _gateway_statistics() -> str:
    """By default a proxy keeps most of Envoy's statistics to itself."""
    prefixes = ["cluster.outbound", "listener", "http", "tcp"]
    return json.dumps({"proxyStatsMatcher": {"inclusionPrefixes": prefixes}})
