"""What a cluster of one's own says of itself. Only asked: nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network

from meshproof.errors import LabError, ModelError, UsageError
from meshproof.kube import client
from meshproof.kube.seam import lab_errors
from meshproof.model import Cluster, Version
from meshproof.model.own_cluster import OwnCluster, is_of_this_machine_alone

_SLICES = "kubernetes.io/service-name=kubernetes"


@dataclass(frozen=True, slots=True)
class Facts:
    """``uid``: of the namespace kube-system, which no two clusters share; ``nodes``: how many;
    ``pods`` and ``services``: the ranges of their addresses; ``api``: the URL by which other
    clusters reach its API server."""

    uid: str
    version: Version
    nodes: int
    pods: IPv4Network
    services: IPv4Network
    api: str

    def cluster(self, name: str) -> Cluster:
        """The cluster as footprints have it."""
        return Cluster(name, self.pods, self.services, kind_config="", nodes=self.nodes)


def facts_of(own: OwnCluster, api: client.ApiClient) -> Facts:
    """What a cluster says. Raises LabError where it does not answer, or does not say what is
    needed, with what to add to the file of clusters."""
    with lab_errors(f"ask cluster {own}"):
        core = client.CoreV1Api(api)
        uid = core.read_namespace("kube-system").metadata.uid
        version = _version(client.VersionApi(api).get_code().git_version, own.name)
        nodes = core.list_node().items
        pods = own.pods or _pods(own.name, nodes, core)
        services = own.services or _services(own.name, api, core)
        return Facts(uid, version, len(nodes), pods, services, _api(own, api))


def check_distinct(facts: Mapping[str, Facts]) -> None:
    """Raise UsageError where two names lead to one cluster, whatever their contexts are called."""
    first: dict[str, str] = {}
    for name, found in facts.items():
        other = first.setdefault(found.uid, name)
        if other != name:
            raise UsageError(
                f"{other} and {name} are one cluster: the namespace kube-system of both has the "
                f"uid {found.uid}",
                "name contexts that lead to two",
            )


def spanning(ranges: Iterable[IPv4Network]) -> IPv4Network:
    """The smallest range that holds all of these. Raises ValueError for none."""
    known = sorted(ranges)
    if not known:
        raise ValueError("no range")
    found = known[0]
    while not all(one.subnet_of(found) for one in known):
        found = found.supernet()
    return found


def _version(text: str, name: str) -> Version:
    """The version without what its vendor adds: v1.29.4-gke.1043002, v1.30.2+k3s1."""
    plain = text.partition("-")[0].partition("+")[0]
    try:
        return Version.parse(plain)
    except ModelError:
        raise LabError(f"cluster {name} says that its version is '{text[:60]}'") from None


def _pods(name: str, nodes: Sequence[client.V1Node], core: client.CoreV1Api) -> IPv4Network:
    """The range of pods' addresses: of the nodes' ranges, or as far as there are pods."""
    of_nodes = [one.spec.pod_cidr for one in nodes]
    if of_nodes and all(one and ":" not in one for one in of_nodes):
        return spanning(map(IPv4Network, of_nodes))
    addresses = [
        one.status.pod_ip
        for one in core.list_pod_for_all_namespaces().items
        if one.status.pod_ip and not one.spec.host_network
    ]
    return _span(name, "pods", addresses)


def _services(name: str, api: client.ApiClient, core: client.CoreV1Api) -> IPv4Network:
    """As a ServiceCIDR says (since Kubernetes 1.33), else as far as there are Services."""
    try:
        known = client.CustomObjectsApi(api).list_cluster_custom_object(
            "networking.k8s.io", "v1", "servicecidrs"
        )
    except client.ApiException as error:
        if error.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
            raise
        known = {"items": []}
    ranges = [one for item in known["items"] for one in item["spec"]["cidrs"] if ":" not in one]
    if ranges:
        return spanning(map(IPv4Network, ranges))
    listed = core.list_service_for_all_namespaces().items
    addresses = [one.spec.cluster_ip for one in listed if one.spec.cluster_ip not in (None, "None")]
    return _span(name, "services", addresses)


def _span(name: str, what: str, addresses: Sequence[str]) -> IPv4Network:
    known = [IPv4Network(f"{one}/32") for one in addresses if ":" not in one]
    if not known:
        raise LabError(
            f"cluster {name} does not tell which addresses its {what} have",
            f"write '{what}:' with its range into the file of clusters (--cluster-file)",
        )
    return spanning(known)


def _api(own: OwnCluster, api: client.ApiClient) -> str:
    """What was said, or the kubeconfig's server. Where that leads to whoever calls it, it is what
    the API server itself says of where it is (the endpoints of the Service kubernetes)."""
    if own.api or not is_of_this_machine_alone(own.server):
        return own.api or own.server
    listed = client.DiscoveryV1Api(api).list_namespaced_endpoint_slice(
        "default", label_selector=_SLICES
    )
    for one in listed.items:
        for endpoint in one.endpoints or ():
            address = (
                IPv4Address(endpoint.addresses[0]) if ":" not in endpoint.addresses[0] else None
            )
            if address is not None and not address.is_loopback and one.ports:
                return f"https://{address}:{one.ports[0].port}"
    raise LabError(
        f"the API server of {own.name} is known as {own.server}, which leads every pod to itself",
        "write 'api:' with the URL that other clusters reach into the file of clusters "
        "(--cluster-file)",
    )
