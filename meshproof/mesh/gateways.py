"""The east-west gateway's own proxy, and the names by which it tells services apart."""

from __future__ import annotations

from meshproof.errors import LabError
from meshproof.kube.seam import lab_errors
from meshproof.kube.spot import Spot, pod_spot
from meshproof.mesh.credentials import spiffe
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.operator_config import GATEWAY, GATEWAY_PORTS

GATEWAY_PORT = GATEWAY_PORTS["tls"]
"""Where sidecars of other networks come in."""
GATEWAY_IDENTITY = spiffe(SYSTEM, f"{GATEWAY}-service-account")


def gateway_spot(mesh: Mesh, cluster: str) -> Spot:
    """The pod of a cluster's east-west gateway. Raises LabError when none runs."""
    running = mesh.cluster(cluster)
    with lab_errors(f"find the gateway of {cluster}"):
        pods = running.core.list_namespaced_pod(SYSTEM, label_selector=f"app={GATEWAY}").items
        alive = [pod for pod in pods if pod.metadata.deletion_timestamp is None]
        if not alive:
            raise LabError(f"no gateway runs in {cluster}")
        return pod_spot(running, SYSTEM, alive[0].metadata.name, container="istio-proxy")


def sni_of(host: str, port: int, subset: str = "") -> str:
    """How a sidecar names a service's port (and subset) to the gateway, in the handshake."""
    return f"outbound_.{port}_.{subset}_.{host}"
