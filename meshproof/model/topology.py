"""Topologies and deployments: which cluster plays which role on which network. Data, no I/O.

Terms and rules are those of Istio's deployment models
(https://istio.io/latest/docs/ops/deployment/deployment-models/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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

    ``primary``: the name of the cluster whose istiod serves it (for a primary its own);
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
        if not self.primaries:
            raise TopologyError(
                ("clusters",),
                f"topology {self.name} has no primary, so no cluster would run istiod",
                "give one cluster the role primary",
            )

    def _check_primary(self, member: Member) -> None:
        at = ("clusters", member.name, "primary")
        if member.role is Role.PRIMARY:
            if member.primary != member.name:
                raise TopologyError(
                    at,
                    f"{member.name} is a primary and cannot be served by {member.primary!r}",
                    f"leave 'primary' out, or give {member.name} the role remote",
                )
            return
        choice = " or ".join(one.name for one in self.primaries)
        if member.primary not in self.names:
            raise TopologyError(
                at,
                f"the primary of {member.name} is {member.primary!r}, which is no cluster here",
                f"name {choice}",
            )
        if self[member.primary].role is not Role.PRIMARY:
            raise TopologyError(
                at,
                f"the primary of {member.name} is {member.primary}, which has the role remote",
                f"name {choice}, or give {member.primary} the role primary",
            )

    def _check_gateways(self) -> None:
        for remote in self.remotes:
            primary = self[remote.primary]
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
            here = self.on(network)
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
        """The networks' names, in the order in which they first come."""
        return tuple(dict.fromkeys(member.network for member in self.members))

    @property
    def primaries(self) -> tuple[Member, ...]:
        """The clusters that run istiod."""
        return tuple(member for member in self.members if member.role is Role.PRIMARY)

    @property
    def remotes(self) -> tuple[Member, ...]:
        """The clusters that another cluster's istiod serves."""
        return tuple(member for member in self.members if member.role is Role.REMOTE)

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
        if len(self.networks) == 1:
            return flat(footprint)
        flows: dict[Pair, frozenset[Flow]] = {}
        for network in self.networks:
            flows.update(flat(footprint, among=[m.name for m in self.on(network)]).flows)
        return Wiring("mixed", flows) if flows else isolated()


@dataclass(frozen=True)
class Deployment:
    """A topology with versions, mTLS mode and variants: what is installed, and a test's id.

    ``istio``: the version in each cluster. ``variants``: names such as "mesh-networks".
    """

    topology: Topology
    istio: Mapping[str, Version] = field(hash=False)
    kubernetes: Version
    mtls: Mtls = Mtls.STRICT
    variants: frozenset[str] = frozenset()

    def __str__(self) -> str:
        versions = sorted({str(version) for version in self.istio.values()})
        words = [self.topology.name, "-".join(versions), self.mtls.value, *sorted(self.variants)]
        return "+".join(words)
