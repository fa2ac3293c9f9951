"""Makes a lab's parts pass what a wiring says: routes to the router, and the rules of router, nodes
and machines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from meshproof.kube.cluster import RunningCluster
from meshproof.lab.machine import lead
from meshproof.lab.network.rules import Places
from meshproof.lab.nodes import forget_router, introduce, lead_to_router, wire_nodes, write_rules
from meshproof.model import Cluster, Site, Wiring
from meshproof.process import side_by_side

if TYPE_CHECKING:
    from meshproof.lab.base import Lab


def wire(lab: Lab, wiring: Wiring) -> None:
    """Let router and nodes pass what ``wiring`` says, and end what was open."""

    def router() -> None:
        apply_at_router(lab, wiring)
        lab.router.end_flows()

    actions: list[Callable[[], None]] = [router]
    for cluster in lab.clusters.values():
        flat, near = _flat(lab, cluster, wiring), _machines_at(lab, cluster.name)
        actions.append(partial(wire_nodes, cluster, flat, _others(lab, cluster), near))
    side_by_side(lab.shell, lambda action: action(), actions)


def write_all_rules(lab: Lab, wiring: Wiring) -> None:
    """Write rules of router and nodes as ``wiring`` says; open flows go on."""
    apply_at_router(lab, wiring)
    for cluster in lab.clusters.values():
        write_rules(cluster, _flat(lab, cluster, wiring), _machines_at(lab, cluster.name))


def apply_at_router(lab: Lab, wiring: Wiring) -> None:
    """Write the router's rules alone, for what the lab has now; open flows go on."""
    lab.router.apply(_places(lab), wiring)


def meet_router_again(lab: Lab) -> None:
    """Let nodes and machines find the router anew, which has come back with other link
    addresses."""
    for cluster in lab.clusters.values():
        forget_router(cluster)
    for machine in lab.machines.values():
        machine.run("ip", "neighbour", "flush", "all")


def lead_nodes(lab: Lab) -> None:
    """Let nodes find each other by name, and nodes and machines whatever is not near by the
    router."""
    for cluster in lab.clusters.values():
        if len(cluster.nodes) > 1:
            introduce(lab.engine, {one.container: one.address for one in cluster.nodes})
        lead_to_router(cluster, lab.subnets[cluster.name])
    lead_machines(lab)


def lead_machines(lab: Lab) -> None:
    """Tell machines what they may reach, and by which way."""
    side_by_side(lab.shell, partial(_lead_machine, lab), lab.footprint.machines)


def _lead_machine(lab: Lab, site: Site) -> None:
    near = lab.clusters.get(site.beside)
    pods = {node.pods: node.address for node in near.nodes} if near is not None else {}
    lead(lab.machines[site.name], lab.subnets[site.beside].router, pods)


def _machines_at(lab: Lab, place: str) -> tuple[IPv4Address, ...]:
    return tuple(lab.machines[one].address for one in lab.footprint.machines_at(place))


def _others(lab: Lab, cluster: RunningCluster) -> list[Cluster]:
    return [one for one in lab.footprint.clusters if one.name != cluster.name]


def _flat(lab: Lab, cluster: RunningCluster, wiring: Wiring) -> list[Cluster]:
    """The clusters whose pods are reached from a cluster under their own address."""
    return [one for one in _others(lab, cluster) if wiring.is_flat(cluster.name, one.name)]


def _places(lab: Lab) -> dict[str, Places]:
    """What the router must know of each network of the lab."""
    alone = {
        place: Places(lab.router.devices[place], machines=_machines_at(lab, place))
        for place in lab.footprint.places
        if place not in lab.clusters
    }
    return alone | {
        name: Places(
            device=lab.router.devices[name],
            nodes=tuple(node.address for node in cluster.nodes),
            api=(cluster.control_plane.address,),
            gateways=lab.addresses[name].given,
            routes=_routes_to(lab, cluster),
            machines=_machines_at(lab, name),
        )
        for name, cluster in lab.clusters.items()
    }


def _routes_to(lab: Lab, cluster: RunningCluster) -> dict[IPv4Network, IPv4Address]:
    """How the router reaches a cluster's pods and Services; not where addresses are twofold."""
    if any(cluster.name in pair for pair in lab.footprint.overlapping()):
        return {}
    pods = {node.pods: node.address for node in cluster.nodes}
    return {**pods, cluster.spec.services: cluster.control_plane.address}
