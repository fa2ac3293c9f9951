"""The east-west gateway's own proxy, and the names by which it tells services apart."""

from __future__ import annotations

from meshproof.kube.workload import PROXY, PodWorkload, find_workload, spiffe
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.operator_config import GATEWAY, GATEWAY_PORTS

GATEWAY_PORT = GATEWAY_PORTS["tls"]
"""Where sidecars of other networks come in."""
GATEWAY_IDENTITY = spiffe(SYSTEM, f"{GATEWAY}-service-account")


def gateway_workload(mesh: Mesh, cluster: str) -> PodWorkload:
    """The pod of a cluster's east-west gateway. Raises LabError when none runs."""
    return find_workload(mesh.cluster(cluster), GATEWAY, SYSTEM, container=PROXY)


def sni_of(host: str, port: int, subset: str = "") -> str:
    """How a sidecar names a service's port (and subset) to the gateway, in the handshake."""
    return f"outbound_.{port}_.{subset}_.{host}"
