"""What a topology is made of: members, their meshes and gateways, and where versions run.

Data, no I/O. Terms are those of Istio's deployment models
(https://istio.io/latest/docs/ops/deployment/deployment-models/).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum

from meshproof.errors import ModelError
from meshproof.model.clusters import Cluster

TLS_PORT = 15443
"""Where sidecars of other networks come in, unless a topology says otherwise."""


class Role(Enum):
    """What a cluster is to its mesh."""

    PRIMARY = "primary"
    """Runs istiod, for itself and for its remotes."""
    REMOTE = "remote"
    """Is served by the istiod of its primary."""
    EXTERNAL = "external"
    """Runs istiod for its remotes, and no workloads: an external control plane
    (https://istio.io/latest/docs/setup/install/external-controlplane/)."""
    HOST = "host"
    """Manages other clusters through their API servers, and is part of no mesh: it runs neither
    istiod nor workloads, and those clusters do not know of it."""


class Mtls(StrEnum):
    """What the mesh's PeerAuthentication says."""

    STRICT = "strict"
    PERMISSIVE = "permissive"
    DISABLED = "disabled"


class TopologyError(ModelError):
    """A topology that cannot exist. ``at``: the path of keys at fault, as in its file."""

    def __init__(self, at: tuple[str, ...], cause: str, remedy: str = "") -> None:
        self.at = at
        super().__init__(cause, remedy)


@dataclass(frozen=True, slots=True)
class MeshSpec:
    """Workloads under one administration. ``name``: the mesh's ID; ``trust_domain``: the first
    part of its workloads' identities; ``root``: the name of the root of trust that its control
    planes' authorities are below. A mesh is the same in whichever trust domain."""

    name: str = "meshproof"
    trust_domain: str = field(default="cluster.local", compare=False)
    root: str = "meshproof"

    def identity(self, namespace: str, account: str) -> str:
        """The SPIFFE ID of a service account, as https://istio.io/latest/docs/concepts/security/
        has it."""
        return f"spiffe://{self.trust_domain}/ns/{namespace}/sa/{account}"


@dataclass(frozen=True, slots=True)
class Gateway:
    """An east-west gateway. ``port``: where it takes TLS of other networks; ``hostname``: whether
    its load balancer is announced by a host name, which an istiod must resolve."""

    port: int = TLS_PORT
    hostname: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """One version of helloworld: the cluster that it runs in, and how many instances of it."""

    version: str
    cluster: str
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class Member:
    """One cluster's part in its mesh.

    ``primary``: the name of the cluster whose istiod serves it (for one that runs istiod, its
    own); ``gateway``: its east-west gateway, if it has one; ``reads``: the clusters that its
    istiod reads, where that is not all others of its mesh; ``region`` and ``zones``: labels of
    its nodes, of which each gets one zone in turn; ``manages``: the clusters that a host manages,
    where those are not all others.
    """

    cluster: Cluster
    role: Role
    network: str
    primary: str
    gateway: Gateway | None = None
    mesh: MeshSpec = MeshSpec()
    reads: tuple[str, ...] | None = None
    region: str = ""
    zones: tuple[str, ...] = ()
    manages: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.cluster.name
