"""The east-west gateway's own proxy, and the names by which it tells services apart."""

from __future__ import annotations

from meshproof.kube.workload import PROXY, PodWorkload, find_workload, spiffe
from meshproof.mesh.helm_values import gateway_account
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.operator_config import GATEWAY, GATEWAY_PORTS
from meshproof.model import InstalledBy

GATEWAY_PORT = GATEWAY_PORTS["tls"]
"""Where sidecars of other networks come in."""


def gateway_identity(mesh: Mesh) -> str:
    """The SPIFFE URI that the gateways' own certificates are for."""
    by_helm = mesh.deployment.installed_by is InstalledBy.HELM
    return spiffe(SYSTEM, gateway_account(by_helm=by_helm))


def gateway_workload(mesh: Mesh, cluster: str) -> PodWorkload:
    """The pod of a cluster's east-west gateway. Raises LabError when none runs."""
    return find_workload(mesh.cluster(cluster), GATEWAY, SYSTEM, container=PROXY)


def sni_of(host: str, port: int, subset: str = "") -> str:
    """How a sidecar names a service's port (and subset) to the gateway, in the handshake."""
    return f"outbound_.{port}_.{subset}_.{host}"
