"""Rules by which calls stay at home, or go to the cluster that they name.

https://istio.io/latest/docs/ops/configuration/traffic-management/multicluster/
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.kube.objects import Object
from meshproof.mesh.operator_config import AT_HOME
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.mesh.routes import Tls, destination_rule, virtual_service
from meshproof.traffic.services import deployed_services
from meshproof.traffic.settle import arrive
from meshproof.workloads.sample import HOST, NAMESPACE, PORT, Sample, helloworld_service

CLUSTER_LABEL = "topology.istio.io/cluster"
WISH = "x-cluster"
"""The header that names the cluster to which a call is to go."""
SERVICE = AT_HOME.split(".")[0]
"""The Service that is cluster-local by the mesh's configuration."""
URL = f"http://{SERVICE}.{NAMESPACE}:{PORT}/hello"


def by_cluster(sample: Sample) -> list[Object]:
    """Calls go to the cluster that their header names, all others stay in their caller's."""
    rule = destination_rule(HOST, (), Tls.ISTIO_MUTUAL)
    rule["spec"]["subsets"] = [
        {"name": name, "labels": {CLUSTER_LABEL: name}} for name in sample.homes
    ]
    wished = [_route(name, {"headers": {WISH: {"exact": name}}}) for name in sample.homes]
    own = [_route(name, {"sourceLabels": {CLUSTER_LABEL: name}}) for name in sample.homes]
    return [rule, virtual_service(HOST, [*wished, *own])]


@contextmanager
def at_home(sample: Sample) -> Iterator[None]:
    """Every cluster has the cluster-local Service inside the block, and callers beside a version
    know an endpoint of it, as far as they do within half a minute."""

    def least() -> int:
        cluster = outbound(AT_HOME, PORT)
        return min(len(endpoints(sample.caller(name), cluster)) for name in sample.homes)

    with deployed_services(sample, [helloworld_service(name=SERVICE)]):
        arrive(sample.mesh, least, what=f"endpoints of {AT_HOME}")
        yield


def _route(cluster: str, match: Object) -> Object:
    destination = {"host": HOST, "subset": cluster}
    return {"match": [match], "route": [{"destination": destination}]}
