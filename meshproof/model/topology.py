"""Topologies: which cluster plays which role on which network, and what follows from that.

Data, no I/O. Rules are those of Istio's deployment models
(https://istio.io/latest/docs/ops/deployment/deployment-models/).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations, permutations

from meshproof.errors import ModelError
from meshproof.model.clusters import GATEWAY_PORTS, Flow, Footprint, Pair, Wiring
from meshproof.model.exposure import Exposure, clusters_named
from meshproof.model.host import is_managed, meet
from meshproof.model.machine import Machine, machine_flows, mesh_of, sites
from meshproof.model.member import Member, MeshSpec, Placement, Role
from meshproof.model.topology_checks import check_topology
from meshproof.model.versions import Version


@dataclass(frozen=True, slots=True)
class Topology:
    """Clusters, their roles and networks, and the versions of helloworld in them.

    ``placements``: by default one version in each cluster with workloads; ``exposes``: the services
    that meshes expose to each other; ``machines``: those outside Kubernetes. Raises TopologyError
    for what cannot exist.
    """

    name: str
    members: tuple[Member, ...]
    placements: tuple[Placement, ...] = ()
    exposes: tuple[Exposure, ...] = ()
    machines: tuple[Machine, ...] = ()

    def __post_init__(self) -> None:
        if not self.placements:
            object.__setattr__(self, "placements", usual_placements(self.workloads))
        check_topology(self)

    def with_trust_domains(self) -> Topology:
        """The same with a trust domain for each control plane, called like its cluster."""
        return self._in_domains(lambda member: f"{member.primary}.example")

    def with_one_trust_domain(self) -> Topology:
        """The same with the first mesh's trust domain for all."""
        domain = self.meshes[0].trust_domain
        return self._in_domains(lambda _: domain)

    def _in_domains(self, domain: Callable[[Member], str]) -> Topology:
        def moved(member: Member) -> Member:
            return replace(member, mesh=replace(member.mesh, trust_domain=domain(member)))

        return replace(self, members=tuple(map(moved, self.members)))

    def part(self, mesh: MeshSpec) -> Topology:
        """One of the meshes alone: its clusters and machines, and the versions in them."""
        members = tuple(one for one in self.meshed if one.mesh == mesh)
        names = {one.name for one in members}
        placements = tuple(one for one in self.placements if one.cluster in names)
        machines = tuple(one for one in self.machines if one.primary in names)
        return replace(self, members=members, placements=placements, exposes=(), machines=machines)

    @property
    def comparable(self) -> Topology | None:
        """Where every caller's istiod knows several versions: all of this topology, or else the
        first of its meshes for which that holds; None where there is none."""
        return next((one for one in self._grounds if len(one.common_versions) > 1), None)

    @property
    def example(self) -> Topology | None:
        """The plainest mesh of its network shape: all of this topology, or else the first of its
        meshes that is one, as if there were no others; None where there is none."""
        return next((one for one in self._grounds if one.exemplary), None)

    @property
    def _grounds(self) -> tuple[Topology, ...]:
        """What a test may be about: all of this, or where there are several meshes one of them."""
        return (self, *(map(self.part, self.meshes) if len(self.meshes) > 1 else ()))

    @property
    def names(self) -> tuple[str, ...]:
        """The clusters' names, in the order given."""
        return tuple(member.name for member in self.members)

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks that workloads are on, in the order in which they first come."""
        return tuple(dict.fromkeys(self[name].network for name in self.workloads))

    @property
    def meshes(self) -> tuple[MeshSpec, ...]:
        """The meshes, in the order in which they first come."""
        return tuple(dict.fromkeys(member.mesh for member in self.meshed))

    def networks_of(self, mesh: MeshSpec) -> tuple[str, ...]:
        """The networks that workloads of a mesh are on, its machines too, in the order in which
        they first come."""
        mine = [self[name].network for name in self.workloads if self[name].mesh == mesh]
        mine += [one.network for one in self.machines if mesh_of(self, one) == mesh]
        return tuple(dict.fromkeys(mine))

    @property
    def workloads(self) -> tuple[str, ...]:
        """The names of the clusters in which workloads run: all but external control planes and
        hosts."""
        return tuple(member.name for member in self.meshed if member.role is not Role.EXTERNAL)

    @property
    def meshed(self) -> tuple[Member, ...]:
        """The clusters that are part of a mesh: all but hosts."""
        return tuple(member for member in self.members if member.role is not Role.HOST)

    @property
    def host(self) -> Member | None:
        """The cluster that manages others, if there is one."""
        return next((member for member in self.members if member.role is Role.HOST), None)

    @property
    def managed(self) -> tuple[str, ...]:
        """The names of the clusters that the host manages; () where there is no host."""
        return tuple(name for name in self.names if is_managed(self, name))

    @property
    def versions(self) -> dict[str, str]:
        """The cluster that each version of helloworld runs in, in the order given."""
        return {one.version: one.cluster for one in self.placements}

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
        return tuple(member for member in self.meshed if member.role is not Role.REMOTE)

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
        """The cluster from which an istiod reads its configuration, and which it takes for its
        own."""
        if self[control_plane].role is Role.EXTERNAL:
            return self.served_by(control_plane)[0].name
        return control_plane

    @property
    def config_clusters(self) -> tuple[str, ...]:
        """The clusters whose configuration counts for anybody."""
        return tuple(self.config_cluster(member.name) for member in self.control_planes)

    @property
    def unread_clusters(self) -> tuple[str, ...]:
        """The clusters with workloads whose configuration no istiod reads."""
        return tuple(name for name in self.workloads if name not in self.config_clusters)

    def reads(self, control_plane: str) -> tuple[str, ...]:
        """The clusters that an istiod reads by a remote secret: what the topology says, or all of
        its mesh that have workloads, but for the one that it takes for its own."""
        reader = self[control_plane]
        if reader.reads is not None:
            return reader.reads
        own = self.config_cluster(control_plane)
        return tuple(
            name for name in self.workloads if name != own and self[name].mesh == reader.mesh
        )

    def readers(self, cluster: str) -> tuple[str, ...]:
        """The clusters whose istiods read a cluster by a remote secret."""
        return tuple(one.name for one in self.control_planes if cluster in self.reads(one.name))

    def asks(self, caller: str, called: str) -> bool:
        """Whether an istiod in ``caller`` asks the API server of ``called``, another cluster."""
        if self[caller].role in (Role.REMOTE, Role.HOST) or caller == called:
            return False
        return called in self.reads(caller) or called == self.config_cluster(caller)

    def knows(self, caller: str, cluster: str) -> bool:
        """Whether the istiod that serves ``caller`` knows the endpoints in ``cluster``."""
        primary = self[caller].primary
        return cluster == self.config_cluster(primary) or cluster in self.reads(primary)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The ordered pairs of a caller's cluster and a version in another cluster of which its
        istiod knows."""
        return tuple(
            (caller, version)
            for caller in self.workloads
            for version, cluster in self.versions.items()
            if caller != cluster and self.knows(caller, cluster)
        )

    @property
    def shared_ways(self) -> tuple[Pair, ...]:
        """The ordered pairs of a caller's cluster and a version on another network, which comes
        by a gateway that leads to another version too, and from a cluster which the caller's
        istiod reads and does not serve."""
        return tuple(
            (caller, version)
            for caller, version in self.pairs
            if not self.same_network(caller, there := self.versions[version])
            and self[there].primary != self[caller].primary
            and self._shares_its_gateway(caller, version)
        )

    def _shares_its_gateway(self, caller: str, version: str) -> bool:
        gateways = set(self.gateways_to(self.versions[version]))
        others = (one for who, one in self.pairs if who == caller and one != version)
        return any(gateways & set(self.gateways_to(self.versions[one])) for one in others)

    @property
    def common_versions(self) -> tuple[str, ...]:
        """The versions that the istiods of all clusters with workloads know of."""
        return tuple(
            version
            for version, cluster in self.versions.items()
            if all(self.knows(caller, cluster) for caller in self.workloads)
        )

    def gateways_to(self, cluster: str) -> tuple[Member, ...]:
        """The members whose gateways lead to a cluster from other networks: its own, or where it
        has none, all of its network (as istiod chooses them)."""
        own = self[cluster]
        return (own,) if own.gateway is not None else self.gateways_on(own.network, own.mesh)

    @property
    def named_ways(self) -> tuple[Pair, ...]:
        """The ordered pairs of a caller's cluster and a version on another network, which comes
        by a gateway that is announced by a host name."""
        return tuple(
            (caller, version)
            for caller, version in self.pairs
            if not self.same_network(caller, there := self.versions[version])
            and any(one.gateway and one.gateway.hostname for one in self.gateways_to(there))
        )

    @property
    def eastwest_gateways(self) -> tuple[Member, ...]:
        """The members whose gateways carry their mesh's calls from network to network: those of a
        mesh on one network lead to nothing but what it exposes to others."""
        return tuple(
            member
            for member in self.members
            if member.gateway is not None and len(self.networks_of(member.mesh)) > 1
        )

    def gateways_on(self, network: str, mesh: MeshSpec) -> tuple[Member, ...]:
        """The members of a mesh that have a gateway on a network."""
        here = (member for member in self.on(network) if member.mesh == mesh)
        return tuple(member for member in here if member.gateway is not None)

    def providers(self, exposure: Exposure) -> tuple[str, ...]:
        """The clusters that expose a service."""
        return clusters_named(self, exposure.provider)

    def importers(self, exposure: Exposure) -> tuple[str, ...]:
        """The clusters that a service is exposed to."""
        named = (name for one in exposure.consumers for name in clusters_named(self, one))
        return tuple(dict.fromkeys(named))

    @property
    def imports(self) -> tuple[tuple[str, Exposure], ...]:
        """The ordered pairs of a cluster and a service that another mesh exposes to it."""
        return tuple((name, one) for one in self.exposes for name in self.importers(one))

    def exposed_by(self, control_plane: str) -> tuple[str, ...]:
        """The global names that the gateways which an istiod configures lead other meshes to."""
        return tuple(
            one.host
            for one in self.exposes
            if any(self[name].primary == control_plane for name in self.providers(one))
        )

    @property
    def exemplary(self) -> bool:
        """Whether this is the plainest mesh of its network shape: two clusters with an instance
        each and addresses that differ, on one network under one control plane that runs in one of
        them, or on two networks with a control plane each and gateways that are announced by
        addresses. What no network shape can change is judged here for all."""
        plain = len(self.members) == 2 and not self.externals and not self.overlapping
        single = all(one.replicas == 1 for one in self.placements)
        each = len(set(self.versions.values())) == len(self.placements) == len(self.members)
        controlled = len(self.control_planes) == len(self.networks)
        named = any(one.gateway and one.gateway.hostname for one in self.members)
        alone = len(self.meshes) == 1 and not self.machines
        return plain and single and each and controlled and alone and not named

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

    def machine(self, name: str) -> Machine:
        """The machine of that name. Raises ModelError where there is none."""
        for one in self.machines:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.machines) or "none"
        raise ModelError(f"topology {self.name} has no machine '{name}', only {known}")

    def machines_of(self, control_plane: str) -> tuple[Machine, ...]:
        """The machines that a cluster's istiod serves."""
        return tuple(one for one in self.machines if one.primary == control_plane)

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
        clusters = tuple(member.cluster for member in self.members)
        return Footprint(clusters, kubernetes, sites(self))

    def wiring(self, footprint: Footprint) -> Wiring:
        """What must be reached, and nothing else: pods and machines inside each network, gateways
        everywhere, machines on networks of their own by those whose istiods know them, and API
        servers by those istiods alone that read them, and a host. Where there is a host, clusters
        that have nothing to call in each other are apart, and nothing reaches the host."""
        pairs = {pair: self.flows(*pair) for pair in permutations(self.names, 2)}
        pairs |= machine_flows(self)
        ports = (one.gateway.port for one in self.members if one.gateway is not None)
        wiring = Wiring(self.name, pairs, tuple(dict.fromkeys((*GATEWAY_PORTS, *ports))))
        wiring.check(footprint)
        return wiring

    def flows(self, caller: str, called: str) -> frozenset[Flow]:
        """What may pass from one cluster to another."""
        if not meet(self, caller, called):
            manages = self[caller].role is Role.HOST and called in self.managed
            return frozenset({Flow.API} if manages else ())
        flows = {Flow.GATEWAY}
        if self.same_network(caller, called):
            flows.add(Flow.POD)
        if self.asks(caller, called):
            flows.add(Flow.API)
        return frozenset(flows)


def usual_placements(clusters: tuple[str, ...]) -> tuple[Placement, ...]:
    """A version of its own in each cluster: v1, v2, v3 and so on, in order."""
    return tuple(Placement(f"v{number}", name) for number, name in enumerate(clusters, 1))
