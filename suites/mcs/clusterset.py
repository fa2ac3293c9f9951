"""helloworld as a service of the cluster set, exported by some clusters and imported by all.

https://github.com/kubernetes/enhancements/tree/master/keps/sig-multicluster/1645-multi-cluster-services-api
Istio heeds exports and imports, and makes neither imports nor their addresses: who implements the
API would. Here the tests do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from ipaddress import IPv4Address

import yaml

from meshproof.artifacts.images import MCS_DEFINITIONS
from meshproof.faults.istiod import istiods_set
from meshproof.kube.dns import dns_address
from meshproof.kube.names import NameAnswer, ask_name
from meshproof.kube.objects import Object, applied
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.reading import read_text
from meshproof.traffic.settle import arrive, converge
from meshproof.workloads.dns_sleeps import DNS_SLEEP, dns_sleeps
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT, Sample

FLAGS = {
    "ENABLE_MCS_SERVICE_DISCOVERY": "true",
    "ENABLE_MCS_HOST": "true",
    "ENABLE_MCS_CLUSTER_LOCAL": "true",
}
CLUSTER_SET_HOST = f"{HELLOWORLD}.{NAMESPACE}.svc.clusterset.local"
CLUSTER_SET_URL = f"http://{CLUSTER_SET_HOST}:{PORT}/hello"
ADDRESS = IPv4Address("240.241.0.7")
"""The service's address in the cluster set, in a range that nobody routes."""
_VERSION = "multicluster.x-k8s.io/v1alpha1"


@contextmanager
def cluster_set(sample: Sample) -> Iterator[None]:
    """Istiods heed the API, every cluster has its kinds and imports helloworld, and has a sleep
    with a DNS proxy, inside the block; afterwards none of that is left, or the mesh is marked."""
    with ExitStack() as stack:
        for name in sample.clusters:
            stack.enter_context(applied(sample.mesh.cluster(name), definitions(sample)))
        stack.enter_context(istiods_set(sample, FLAGS))
        stack.enter_context(dns_sleeps(sample))
        for name in sample.clusters:
            stack.enter_context(applied(sample.mesh.cluster(name), [_import()]))
        yield


@contextmanager
def exported(sample: Sample, clusters: Collection[str]) -> Iterator[None]:
    """These clusters export helloworld inside the block, and callers know their instances by the
    name of the cluster set, as far as they do within half a minute; afterwards nobody knows any
    other cluster's, or the mesh is marked dirty."""
    with ExitStack() as stack:
        for name in clusters:
            stack.enter_context(applied(sample.mesh.cluster(name), [_export()]))
        arrive(
            sample.mesh,
            partial(_lacking, sample, clusters),
            until=lambda lacking: not lacking,
            what=f"the exports of {', '.join(clusters)}",
        )
        yield
    if not converge(lambda: not _strange(sample), what="the end of exports"):
        sample.mesh.mark_dirty(f"exported no more, but still in a proxy: {CLUSTER_SET_HOST}")


def definitions(sample: Sample) -> list[Object]:
    """The kinds of the API, of the version that Istio is built with."""
    folder = sample.mesh.bundle.ours
    texts = [read_text(folder / name, "a definition of MCS") for name in MCS_DEFINITIONS]
    return [yaml.safe_load(text) for text in texts]


def named(sample: Sample, cluster: str) -> NameAnswer:
    """What the sleep with a DNS proxy is told of the service's name in the cluster set."""
    asking = sample.caller(cluster, DNS_SLEEP)
    return ask_name(asking, CLUSTER_SET_HOST, dns_address(sample.mesh.cluster(cluster)))


def known_ways(sample: Sample, caller: str) -> set[str]:
    """Where a cluster's sleep with a DNS proxy would call the service by that name."""
    known = endpoints(sample.caller(caller, DNS_SLEEP), outbound(CLUSTER_SET_HOST, PORT))
    return {f"{one.address}:{one.port}" for one in known}


def ways_of(sample: Sample, caller: str, clusters: Collection[str]) -> set[str]:
    """Where instances in these clusters are called from another, as far as its istiod knows."""
    there = [one for one in sample.every_server() if one.cluster in clusters]
    known = [one for one in there if sample.topology.knows(caller, one.cluster)]
    return {str(way) for one in known for way in sample.ways(caller, one)}


def _lacking(sample: Sample, clusters: Collection[str]) -> list[str]:
    """The callers that do not know all exporters' instances."""
    return [
        name
        for name in sample.clusters
        if not ways_of(sample, name, clusters) <= known_ways(sample, name)
        or not named(sample, name).exists
    ]


def _strange(sample: Sample) -> set[str]:
    """Where callers would still call instances in other clusters than their own."""
    return {
        way
        for name in sample.clusters
        for way in known_ways(sample, name) - ways_of(sample, name, [name])
    }


def _export() -> Object:
    return _object("ServiceExport", {})


def _import() -> Object:
    ports = [{"name": "http", "port": PORT, "protocol": "TCP"}]
    spec = {"type": "ClusterSetIP", "ips": [str(ADDRESS)], "ports": ports}
    return _object("ServiceImport", {"spec": spec})


def _object(kind: str, more: Object) -> Object:
    metadata = {"name": HELLOWORLD, "namespace": NAMESPACE}
    return {"apiVersion": _VERSION, "kind": kind, "metadata": metadata, **more}
