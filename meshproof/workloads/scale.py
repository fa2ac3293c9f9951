"""More, or other, instances of helloworld for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address

from meshproof.errors import MeshproofError, WaitTimeoutError
from meshproof.kube import RunningCluster, client
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout, scale
from meshproof.kube.seam import lab_errors
from meshproof.wait import eventually
from meshproof.workloads.sample import (
    HELLOWORLD,
    NAMESPACE,
    Sample,
    helloworld_objects,
)


@contextmanager
def scaled(sample: Sample, version: str, replicas: int) -> Iterator[None]:
    """A version has so many pods, all ready, inside the block; afterwards as many as before.

    Proxies learn of it later: wait for their endpoints. Raises LabError as ``await_rollout``.
    """
    before = _replicas(sample, version)
    try:
        _scale(sample, version, replicas)
        yield
    finally:
        _heal(sample, version, before)


@contextmanager
def asked_for(sample: Sample, version: str, replicas: int) -> Iterator[None]:
    """A version is to have so many pods inside the block, for which nobody waits; afterwards as
    many as before, all ready. Raises LabError as ``await_rollout``."""
    before = _replicas(sample, version)
    cluster = sample.mesh.cluster(sample.versions[version])
    try:
        scale(cluster, NAMESPACE, {f"{HELLOWORLD}-{version}": replicas})
        yield
    finally:
        _heal(sample, version, before)


def usual(sample: Sample, version: str) -> int:
    """How many pods a version has by the topology."""
    return next(one.replicas for one in sample.topology.placements if one.version == version)


def _heal(sample: Sample, version: str, replicas: int) -> None:
    try:
        _scale(sample, version, replicas)
    except MeshproofError:
        sample.mesh.mark_dirty(f"{version} could not be scaled back")
        raise


def _scale(sample: Sample, version: str, replicas: int) -> None:
    cluster = sample.mesh.cluster(sample.versions[version])
    before = _addresses(sample, cluster)
    name = f"{HELLOWORLD}-{version}"
    scale(cluster, NAMESPACE, {name: replicas})
    await_rollout(cluster, NAMESPACE, {name}, sample.mesh.shell)
    _await_end(cluster, before - _addresses(sample, cluster))


def _replicas(sample: Sample, version: str) -> int:
    """How many pods a version is to have as its Deployment says."""
    cluster, name = sample.mesh.cluster(sample.versions[version]), f"{HELLOWORLD}-{version}"
    with lab_errors(f"read Deployment {name} in {cluster.name}"):
        found = client.AppsV1Api(cluster.api).read_namespaced_deployment(name, NAMESPACE)
    return int(found.spec.replicas)


def _addresses(sample: Sample, cluster: RunningCluster) -> set[IPv4Address]:
    servers = sample.servers().values()
    return {one.address for one in servers if one.cluster == cluster.name}


def _await_end(cluster: RunningCluster, addresses: set[IPv4Address]) -> None:
    """Wait a while until pods that the API has forgotten are gone from their nodes as well: their
    proxies would answer 503 on connections that are still open, once the server is dead."""

    def routed() -> set[str]:
        listing = ("ip", "-4", "route", "show")
        texts = [cluster.on_node(node, *listing, check=False).stdout for node in cluster.nodes]
        known = {line.split()[0] for text in texts for line in text.splitlines() if line.strip()}
        return set(map(str, addresses)) & known

    with suppress(WaitTimeoutError):  # whoever calls them is told by what comes of it
        eventually(routed, until=lambda left: not left, what="the end of pods", within=60)


@contextmanager
def also_deployed(sample: Sample, cluster: str, objects: Sequence[Object]) -> Iterator[None]:
    """Further workloads run in a cluster's sample namespace inside the block.

    Raises LabError when they will not run.
    """
    running = sample.mesh.cluster(cluster)
    names = {one["metadata"]["name"] for one in objects if one["kind"] == "Deployment"}
    with applied(running, objects):
        await_rollout(running, NAMESPACE, names, sample.mesh.shell)
        yield


@contextmanager
def in_zones(sample: Sample, version: str, zones: Mapping[str, int]) -> Iterator[None]:
    """Besides its own instances a version has so many in each zone, all ready, inside the block.

    ``zones``: as in "region.zone", whatever the nodes say of themselves. Proxies learn of both
    later: wait for their endpoints. Raises LabError when the instances will not run.
    """
    # The account is the version's own, and stays.
    deployments = [helloworld_objects(version, number, zone)[-1] for zone, number in zones.items()]
    with also_deployed(sample, sample.versions[version], deployments):
        yield
