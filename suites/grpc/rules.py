"""helloworld as a service of gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.mesh.proxy import endpoints, outbound
from meshproof.mesh.routes import host_of
from meshproof.traffic.services import deployed_services, require_ways
from meshproof.traffic.settle import require
from meshproof.traffic.upstream import upstream_of
from meshproof.workloads.sample import (
    GRPC_PORT,
    HELLOWORLD,
    NAMESPACE,
    Sample,
    helloworld_service,
)

SERVICE = f"{HELLOWORLD}-grpc"
HOST_OF_GRPC = host_of(SERVICE, NAMESPACE)
URL = f"grpc://{SERVICE}.{NAMESPACE}:{GRPC_PORT}"


@contextmanager
def grpc_service(sample: Sample) -> Iterator[None]:
    """Every cluster has the Service inside the block, and every caller knows each version's
    instances by it, and the way there; afterwards it is gone, or the mesh is marked dirty.

    Raises EvidenceError when callers do not learn of it within a minute.
    """
    made = helloworld_service(name=SERVICE)
    made["spec"]["ports"] = [{"name": "grpc", "port": GRPC_PORT, "targetPort": GRPC_PORT}]

    def lacking() -> list[str]:
        return [name for name in sample.clusters if not _known(sample, name)]

    with deployed_services(sample, [made]):
        what = f"the endpoints of {SERVICE}"
        require(lacking, until=lambda names: not names, what=what)
        require_ways(sample, [made])
        yield


def _known(sample: Sample, caller: str) -> bool:
    found = endpoints(sample.caller(caller), outbound(HOST_OF_GRPC, GRPC_PORT))
    ways = {f"{one.address}:{one.port}" for one in found}
    versions = sample.reached_from(caller)
    return all(upstream_of(sample, caller, one, GRPC_PORT).hosts <= ways for one in versions)
