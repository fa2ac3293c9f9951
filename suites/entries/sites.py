"""A service by DNS names in two places, of which a rule prefers the nearer one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from meshproof.faults.istiod import replace_istiod
from meshproof.kube.objects import Object
from meshproof.mesh.config_dump import CLUSTERS, in_use
from meshproof.mesh.configuration import configured
from meshproof.mesh.istiod import Endings, are_ready, endings
from meshproof.mesh.proxy import outbound
from meshproof.mesh.routes import host_of
from meshproof.traffic.settle import converge, healed
from meshproof.workloads.sample import HOST, NAMESPACE, PORT, Sample

SITES = "sites.entries.local"
"""The ServiceEntry's host."""
_NETWORKING = "networking.istio.io/v1"
_PLACES = {HOST: "meshproof/za", host_of("kubernetes", "default"): "meshproof/zb"}
"""Its endpoints: names that every cluster has, and where each is said to be."""
_REGION = "topology.kubernetes.io/region"
_BACK_WITHIN = 90.0


def two_sites() -> list[Object]:
    """The entry and the rule, each as its reference has it, made so that both fit together
    (https://istio.io/latest/docs/reference/config/networking/)."""
    entry = {
        "hosts": [SITES],
        "location": "MESH_EXTERNAL",
        "resolution": "DNS",
        "ports": [{"number": PORT, "name": "http", "protocol": "HTTP"}],
        "endpoints": [{"address": name, "locality": place} for name, place in _PLACES.items()],
    }
    policy = {
        "outlierDetection": {"consecutive5xxErrors": 5},
        "loadBalancer": {"localityLbSetting": {"enabled": True, "failoverPriority": [_REGION]}},
    }
    rule = {"host": SITES, "trafficPolicy": policy}
    return [_object("ServiceEntry", entry), _object("DestinationRule", rule)]


@contextmanager
def sites_known(sample: Sample) -> Iterator[Mapping[str, Endings]]:
    """Both are there inside the block, until proxies know the service, or an istiod has ended of
    it, or half a minute has passed; afterwards the mesh is at rest again, or is marked dirty.
    Yields how often each cluster's istiods had ended before."""
    planes = [one.name for one in sample.topology.control_planes]
    before = {name: endings(sample.mesh, name) for name in planes}

    def decided() -> bool:
        ended = any(endings(sample.mesh, name).count > before[name].count for name in planes)
        return ended or not ignorant(sample)

    try:
        with configured(sample.mesh, two_sites()):
            converge(decided, what="the service of two sites")
            yield before
    finally:
        run_again(sample)


def run_again(sample: Sample) -> None:
    """Replace istiods that have ended, which Kubernetes starts later each time; wait until all are
    ready and take objects, and the mesh is at rest; or mark it as dirty."""
    planes = [one.name for one in sample.topology.control_planes]
    for name in planes:
        if endings(sample.mesh, name).count:
            replace_istiod(sample.mesh.cluster(name))

    def running() -> bool:
        # The webhook refuses nothing of it, and does not answer as long as nobody is there.
        with configured(sample.mesh, two_sites()[:1]):
            return all(are_ready(sample.mesh, name) for name in planes)

    if not converge(running, what="istiods that run again", within=_BACK_WITHIN):
        sample.mesh.mark_dirty("an istiod does not run any more")
    healed(sample)


def ignorant(sample: Sample) -> list[str]:
    """The clusters whose sleep's proxy does not know the service."""
    known_as = f'"{outbound(SITES, PORT)}"'
    return [
        name for name in sample.clusters if known_as not in in_use(sample.caller(name), CLUSTERS)
    ]


def _object(kind: str, spec: Object) -> Object:
    metadata = {"name": "sites", "namespace": NAMESPACE}
    return {"apiVersion": _NETWORKING, "kind": kind, "metadata": metadata, "spec": spec}
