"""Topologies: which cluster plays which role on which network. Data, no I/O.

Terms and rules are those of Istio's deployment models
(https://istio.io/latest/docs/ops/deployment/deployment-models/).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from itertools import combinations

from meshproof.errors import ModelError
from meshproof.model.clusters import Cluster, Flow, Footprint, Pair, Wiring, flat, isolated
from meshproof.model.versions import Version


class Role(Enum):
    """What a cluster is to the mesh."""

    PRIMARY = "primary"
    """Runs istiod, for itself and for its remotes."""
    REMOTE = "remote"
    """Is served by the istiod of its primary."""
    EXTERNAL = "external"
    """Runs istiod for its remotes, and no workloads: an external control plane
    (https://istio.io/latest/docs/setup/install/external-controlplane/)."""


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
class Member:
    """One cluster's part in the mesh.

    ``primary``: the name of the cluster whose istiod serves it (for one that runs istiod, its own);
    ``gateway``: whether it has an east-west gateway.
    """

    cluster: Cluster
    role: Role
    network: str
    primary: str
    gateway: bool = False

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.cluster.name


@dataclass(frozen=True, slots=True)
class Topology:
    """Clusters, their roles and networks. Raises TopologyError for what cannot exist."""

    name: str
    members: tuple[Member, ...]

    def __post_init__(self) -> None:
        self._check_clusters()
        for member in self.members:
            self._check_primary(member)
        self._check_gateways()
        self._check_ranges()

    def _check_clusters(self) -> None:
        if not self.members:
            raise TopologyError(
                ("clusters",),
                f"topology {self.name} has no clusters",
                "describe at least one, with the role primary",
            )
        for name in self.names:
            if self.names.count(name) > 1:
                raise TopologyError(
                    ("clusters", name),
                    f"two clusters are called {name}",
                    "give each a name of its own",
                )
        if not self.control_planes:
            raise TopologyError(
                ("clusters",),
                f"topology {self.name} has no primary, so no cluster would run istiod",
                "give one cluster the role primary",
            )
        for member in self.externals:
            if len(self.control_planes) > 1:
                raise TopologyError(
                    ("clusters", member.name, "role"),
                    f"{member.name} is external, but not the only control plane",
                    "let one external cluster serve all others, or give each the role primary",
                )
            if member.gateway:
                raise TopologyError(
                    ("clusters", member.name, "gateway"),
                    f"{member.name} is external, so it has no workloads to lead to",
                    "leave 'gateway' out",
                )
            if not self.served_by(member.name):
                raise TopologyError(
                    ("clusters", member.name, "role"),
                    f"{member.name} is external and serves no cluster",
                    f"give another cluster the role remote and 'primary: {member.name}'",
                )

    def _check_primary(self, member: Member) -> None:
        at = ("clusters", member.name, "primary")
        if member.role is not Role.REMOTE:
            if member.primary != member.name:
                role = "a primary" if member.role is Role.PRIMARY else "external"
                raise TopologyError(
                    at,
                    f"{member.name} is {role} and cannot be served by {member.primary!r}",
                    f"leave 'primary' out, or give {member.name} the role remote",
                )
            return
        choice = " or ".join(one.name for one in self.control_planes)
        if member.primary not in self.names:
            raise TopologyError(
                at,
                f"the primary of {member.name} is {member.primary!r}, which is no cluster here",
                f"name {choice}",
            )
        if self[member.primary].role is Role.REMOTE:
            raise TopologyError(
                at,
                f"the primary of {member.name} is {member.primary}, which has the role remote",
                f"name {choice}, or give {member.primary} the role primary",
            )

    def _check_gateways(self) -> None:
        for remote in self.remotes:
            primary = self[remote.primary]
            if primary.role is Role.EXTERNAL:
                continue  # its istiod has an address of its own
            if primary.network != remote.network and not primary.gateway:
                raise TopologyError(
                    ("clusters", primary.name, "gateway"),
                    f"{remote.name} is on another network than its primary {primary.name}, "
                    "which has no gateway to reach istiod through",
                    f"add 'gateway: true' to {primary.name}",
                )
        if len(self.networks) == 1:
            return
        for network in self.networks:
            here = [member for member in self.on(network) if member.name in self.workloads]
            if not any(member.gateway for member in here):
                raise TopologyError(
                    ("clusters", here[0].name, "gateway"),
                    f"no cluster on the network {network} has a gateway, so no other network "
                    "reaches it",
                    f"add 'gateway: true' to {' or '.join(member.name for member in here)}",
                )

    def _check_ranges(self) -> None:
        for one, other in combinations(self.members, 2):
            if one.network == other.network and one.cluster.overlaps(other.cluster):
                mine, theirs = one.cluster, other.cluster
                raise TopologyError(
                    ("clusters", other.name, "network"),
                    f"{one.name} (pods {mine.pods}, services {mine.services}) and {other.name} "
                    f"(pods {theirs.pods}, services {theirs.services}) share the network "
                    f"{one.network}, but their ranges overlap",
                    "give them disjoint ranges, or put them on networks of their own",
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The clusters' names, in the order given."""
        return tuple(member.name for member in self.members)

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks that workloads are on, in the order in which they first come."""
        return tuple(dict.fromkeys(self[name].network for name in self.workloads))

    @property
    def workloads(self) -> tuple[str, ...]:
        """The names of the clusters in which workloads run: all but external control planes."""
        return tuple(member.name for member in self.members if member.role is not Role.EXTERNAL)

    @property
    def primaries(self) -> tuple[Member, ...]:
        """The clusters that run istiod, and workloads."""
        return tuple(member for member in self.members if member.role is Role.PRIMARY)

    @property
    def externals(self) -> tuple[Member, ...]:
        """The clusters that run istiod for others alone."""
        return tuple(member for member in self.members if member.role is Role.EXTERNAL)

    @property
    def control_planes(self) -> tuple[Member, ...]:
        """The clusters that run istiod."""
        return tuple(member for member in self.members if member.role is not Role.REMOTE)

    @property
    def remotes(self) -> tuple[Member, ...]:
        """The clusters that another cluster's istiod serves."""
        return tuple(member for member in self.members if member.role is Role.REMOTE)

    def served_by(self, control_plane: str) -> tuple[Member, ...]:
        """The remotes that a cluster's istiod serves."""
        return tuple(member for member in self.remotes if member.primary == control_plane)

    def configured_by(self, cluster: str) -> str:
        """The cluster whose configuration counts for a cluster's workloads.

        An istiod reads the configuration of its own cluster; an external one that of its config
        cluster, which is the first that it serves.
        """
        primary = self[self[cluster].primary]
        return self.config_cluster(primary.name)

    def config_cluster(self, control_plane: str) -> str:
        """The cluster from which an istiod reads its configuration."""
        if self[control_plane].role is Role.EXTERNAL:
            return self.served_by(control_plane)[0].name
        return control_plane

    @property
    def config_clusters(self) -> tuple[str, ...]:
        """The clusters whose configuration counts for anybody."""
        return tuple(self.config_cluster(member.name) for member in self.control_planes)

    @property
    def overlapping(self) -> bool:
        """Whether an address can mean something in two of the clusters with workloads."""
        clusters = [self[name].cluster for name in self.workloads]
        return any(one.overlaps(other) for one, other in combinations(clusters, 2))

    @property
    def twins(self) -> bool:
        """Whether pods of two of the clusters with workloads can have the same address."""
        ranges = [self[name].cluster.pods for name in self.workloads]
        return any(one == other for one, other in combinations(ranges, 2))

    def on(self, network: str) -> tuple[Member, ...]:
        """The members on a network."""
        return tuple(member for member in self.members if member.network == network)

    def __getitem__(self, cluster: str) -> Member:
        for member in self.members:
            if member.name == cluster:
                return member
        known = ", ".join(self.names)
        raise ModelError(f"topology {self.name} has no cluster '{cluster}', only {known}")

    def same_network(self, one: str, other: str) -> bool:
        """Whether the pods of two clusters reach each other directly."""
        return self[one].network == self[other].network

    def footprint(self, kubernetes: Version) -> Footprint:
        """What a lab for this topology is made of."""
        return Footprint(tuple(member.cluster for member in self.members), kubernetes)

    def wiring(self, footprint: Footprint) -> Wiring:
        """Flat inside each network, isolated between them."""
        networks = dict.fromkeys(member.network for member in self.members)
        if len(networks) == 1:
            return flat(footprint)
        flows: dict[Pair, frozenset[Flow]] = {}
        for network in networks:
            flows.update(flat(footprint, among=[m.name for m in self.on(network)]).flows)
        return Wiring("mixed", flows) if flows else isolated()
