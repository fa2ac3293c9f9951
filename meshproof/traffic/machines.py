"""Which way calls go that a machine outside Kubernetes makes or answers, and whom they may meet."""

from __future__ import annotations

from meshproof.kube.workload import Workload
from meshproof.mesh.mesh import Way
from meshproof.model.machine import mesh_of
from meshproof.traffic.upstream import Upstream
from meshproof.workloads.machine import MachineWorkload
from meshproof.workloads.sample import PORT, Sample


def known_versions(sample: Sample, caller: Workload) -> dict[str, str]:
    """The versions that a caller's istiod knows of, on machines too, each with the cluster that its
    instances count as part of."""
    return sample.reached_from(caller.cluster) | sample.machine_versions(caller.cluster)


def way_to(sample: Sample, caller: Workload, version: str) -> Upstream:
    """At which addresses and ports a caller's proxy calls a version: on one network at those of its
    instances, across networks at those of the gateways that lead there; a network without a gateway
    is reached directly. Rule: https://istio.io/latest/docs/ops/deployment/vm-architecture/."""
    servers = _servers(sample, version)
    there = network_of(sample, servers[0]) if servers else ""
    gateways = _gateways(sample, servers[0]) if servers else {}
    if gateways and network_of(sample, caller) != there:
        what = f"the gateway of {' or '.join(gateways)}"
        return Upstream(version, frozenset(gateways.values()), what)
    ways = frozenset(Way(one.address, PORT) for one in servers)
    return Upstream(version, ways, f"{version} itself, on {there or 'no network'}")


def by_gateway(sample: Sample, caller: Workload, version: str) -> bool:
    """Whether a caller's proxy calls a version at gateways of another network."""
    servers = _servers(sample, version)
    apart = [one for one in servers if network_of(sample, one) != network_of(sample, caller)]
    return any(_gateways(sample, one) for one in apart)


def network_of(sample: Sample, one: Workload) -> str:
    """The network that a pod or a machine is on."""
    if isinstance(one, MachineWorkload):
        return one.spec.network
    return sample.topology[one.cluster].network


def _gateways(sample: Sample, server: Workload) -> dict[str, Way]:
    """The gateways that lead to a server from other networks, by the clusters that these are in."""
    if not isinstance(server, MachineWorkload):
        return sample.mesh.ways_to(server.cluster)
    topology = sample.topology
    near = topology.gateways_on(server.spec.network, mesh_of(topology, server.spec))
    found: dict[str, Way] = {}
    for member in near:
        found |= sample.mesh.ways_to(member.name)
    return found


def _servers(sample: Sample, version: str) -> list[Workload]:
    return [one for one in sample.answering().values() if one.version == version]
