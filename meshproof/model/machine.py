"""Machines outside Kubernetes that are part of a mesh: where they stand, who serves them, and what
may pass to them and from them.

Data, no I/O. Rules are those of https://istio.io/latest/docs/ops/deployment/vm-architecture/: a
machine gets all that it knows from one istiod, which it reaches through that cluster's east-west
gateway, or by an address of istiod's own where both are on one network. A network without a gateway
is reached directly, so that machines on a network of their own are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.errors import ModelError
from meshproof.model.clusters import Flow, Pair, Site, check_name
from meshproof.model.member import MeshSpec, Role, TopologyError

if TYPE_CHECKING:
    from meshproof.model.topology import Topology


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of a mesh. ``name``: also its host name's, and its WorkloadGroup's and account's;
    ``primary``: the cluster whose istiod serves it; ``version``: of helloworld, "" where none runs
    on it; ``region`` and ``zone``: where it is, "" where nothing says."""

    name: str
    network: str
    primary: str
    version: str = ""
    region: str = ""
    zone: str = ""

    @property
    def locality(self) -> str:
        """Region and zone as the label ``istio-locality`` has them, "" for none."""
        return ".".join(one for one in (self.region, self.zone) if one)


def mesh_of(topology: Topology, machine: Machine) -> MeshSpec:
    """The mesh of a machine: that of the cluster which serves it."""
    return topology[machine.primary].mesh


def sites(topology: Topology) -> tuple[Site, ...]:
    """Where the machines of a topology stand: on the network of a cluster, of the one that serves
    them if it is there, or of one without clusters, called after its first machine."""
    return tuple(Site(one.name, _beside(topology, one)) for one in topology.machines)


def machine_flows(topology: Topology) -> dict[Pair, frozenset[Flow]]:
    """What passes from and to networks without clusters: to gateways, and from whoever's istiod
    knows of the machines straight to them."""
    alone = {
        site.name: machine
        for site, machine in zip(sites(topology), topology.machines, strict=True)
        if site.beside == site.name
    }
    found: dict[Pair, frozenset[Flow]] = {}
    for name, machine in alone.items():
        here = [one for one in topology.machines if one.network == machine.network]
        for cluster in topology.names:
            known = cluster in topology.workloads and _knows_any(topology, cluster, here)
            found[name, cluster] = frozenset({Flow.GATEWAY})
            found[cluster, name] = frozenset({Flow.POD} if known else ())
        for other in alone.keys() - {name}:
            there = [one for one in topology.machines if one.network == alone[other].network]
            known = any(_knows_any(topology, one.primary, there) for one in here)
            found[name, other] = frozenset({Flow.POD} if known else ())
    return found


def check_machines(topology: Topology) -> None:
    """Raise TopologyError for machines that cannot be part of this topology."""
    for number, one in enumerate(topology.machines):
        at = ("machines", one.name)
        try:
            check_name(one.name, "a machine")
        except ModelError as error:
            raise TopologyError(at, error.cause, error.remedy) from None
        others = [*topology.names, *(other.name for other in topology.machines[:number])]
        if one.name in others:
            what = "a cluster" if one.name in topology.names else "another machine"
            cause = f"the machine {one.name} is called like {what}"
            raise TopologyError(at, cause, "give it a name of its own")
        _check_primary(topology, one)
        _check_network(topology, one)
        for key, place in (("region", one.region), ("zone", one.zone)):
            if "." in place:
                cause = f"the {key} of {one.name} is {place!r}, and a dot ends it for Istio"
                raise TopologyError((*at, key), cause, f"write {place.replace('.', '-')}")
        if one.zone and not one.region:
            cause = f"the zone of {one.name} is in no region"
            raise TopologyError((*at, "zone"), cause, "add 'region', such as 'region: r1'")


def _check_primary(topology: Topology, machine: Machine) -> None:
    at = ("machines", machine.name, "primary")
    able = " or ".join(one.name for one in topology.primaries)
    remedy = f"name {able}" if able else "leave the machine out"
    if machine.primary not in topology.names:
        cause = f"the primary of {machine.name} is {machine.primary!r}, which is no cluster here"
        raise TopologyError(at, cause, remedy)
    role = topology[machine.primary].role
    if role is not Role.PRIMARY:
        what = "is external" if role is Role.EXTERNAL else "has the role remote"
        cause = f"the primary of {machine.name} is {machine.primary}, which {what}"
        raise TopologyError(at, cause, remedy)


def _check_network(topology: Topology, machine: Machine) -> None:
    at = ("machines", machine.name, "network")
    primary = topology[machine.primary]
    neighbours = topology.on(machine.network)
    if neighbours and all(one.mesh != primary.mesh for one in neighbours):
        cause = (
            f"{machine.name} is of the mesh {primary.mesh.name}, and its network "
            f"{machine.network} has clusters of other meshes alone"
        )
        raise TopologyError(at, cause, "put it on a network of its own, or of its mesh")
    for other in topology.machines:
        if other.network == machine.network and mesh_of(topology, other) != primary.mesh:
            cause = f"{machine.name} and {other.name} share a network and no mesh"
            raise TopologyError(at, cause, "put them on networks of their own")
    if primary.network != machine.network and primary.gateway is None:
        raise TopologyError(
            ("clusters", primary.name, "gateway"),
            f"{machine.name} is on another network than its primary {primary.name}, which has no "
            "gateway to reach istiod through",
            f"add 'gateway: true' to {primary.name}",
        )


def _beside(topology: Topology, machine: Machine) -> str:
    here = topology.on(machine.network)
    mine = [one for one in here if one.mesh == mesh_of(topology, machine)]
    serving = [one.name for one in mine if one.name == machine.primary]
    first = next(one.name for one in topology.machines if one.network == machine.network)
    return next(iter([*serving, *(one.name for one in mine)]), first)


def _knows_any(topology: Topology, cluster: str, machines: list[Machine]) -> bool:
    """Whether the istiod that serves a cluster knows one of these machines: they are noted in the
    cluster that serves them."""
    return any(topology.knows(cluster, one.primary) for one in machines)
