"""Services that meshes expose to each other, as the objects that a user would write.

The provider's gateway names the exposed hosts and nothing else (``manifests.federation_gateway``),
and an entry selects the service's own pods under the global name. The consumer has an entry of that
name with an address of its own, the provider's gateways and the identities behind them; and a rule
by which its sidecars speak mutual TLS to these, with the SNI by which the gateway tells services
apart. Fields: https://istio.io/latest/docs/reference/config/networking/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv4Network

from meshproof.kube.objects import Object
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh, Way
from meshproof.model import Exposure, Topology

GLOBAL_ADDRESSES = IPv4Network("240.0.0.0/24")
"""Where imported services have their addresses: nothing outside a pod is routed there."""
_FIRST = 2
_NETWORKING = "networking.istio.io/v1"


@dataclass(frozen=True)
class Served:
    """An exposable service in its own cluster. ``labels``: its pods'; ``account``: theirs;
    ``ports``: by name, those that begin with "http" are HTTP."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    account: str
    ports: Mapping[str, int]


def address_of(topology: Topology, exposure: Exposure) -> IPv4Address:
    """The address that an exposed service has for its consumers: each its own, the same for all."""
    return GLOBAL_ADDRESSES[_FIRST + topology.exposes.index(exposure)]


def provided(exposure: Exposure, served: Served) -> list[Object]:
    """What the provider has of an exposed service: an entry under the global name, whose instances
    are the service's own pods, for its gateways alone."""
    spec = {
        "hosts": [exposure.host],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "ports": _ports(served),
        "workloadSelector": {"labels": dict(served.labels)},
        "exportTo": [SYSTEM],
    }
    return [_object("ServiceEntry", "exposed", exposure, served, spec)]


def imported(
    exposure: Exposure,
    served: Served,
    address: IPv4Address,
    ways: Sequence[Way],
    identities: Sequence[str],
) -> list[Object]:
    """What the consumer has of it: an entry and a rule that its gateways do not see.

    ``ways``: the provider's gateways; ``identities``: the SPIFFE IDs behind them.
    """
    entry = {
        "hosts": [exposure.host],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "addresses": [str(address)],
        "ports": _ports(served),
        "subjectAltNames": list(identities),
        "endpoints": [
            {"address": str(way.address), "ports": dict.fromkeys(served.ports, way.port)}
            for way in ways
        ],
        "exportTo": ["."],
    }
    # The SNI is left to Istio: it names the subset as well, where a route chooses one.
    rule = {
        "host": exposure.host,
        "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}},
        "exportTo": ["."],
    }
    return [
        _object("ServiceEntry", "imported", exposure, served, entry),
        _object("DestinationRule", "imported", exposure, served, rule),
    ]


def exposure_objects(mesh: Mesh, cluster: str, served: Sequence[Served]) -> list[Object]:
    """What a cluster of a mesh has of exposed services, as ``exposed_objects``."""
    return exposed_objects(mesh.deployment.topology, cluster, served, partial(ways_of, mesh))


def exposed_objects(
    topology: Topology,
    cluster: str,
    served: Sequence[Served],
    ways: Callable[[Exposure], Sequence[Way]],
) -> list[Object]:
    """What a cluster whose configuration counts has of exposed services, its own and others'.

    ``served``: the services that the workloads have; ``ways``: the gateways by which an exposed one
    is entered.
    """
    known = {f"{one.name}.{one.namespace}": one for one in served}
    objects: list[Object] = []
    for one in topology.exposes:
        service = known[one.service]
        if _counts_for(topology, cluster, topology.providers(one)):
            objects += provided(one, service)
        if _counts_for(topology, cluster, topology.importers(one)):
            address, identities = address_of(topology, one), identities_of(topology, one, service)
            objects += imported(one, service, address, ways(one), identities)
    return objects


def ways_of(mesh: Mesh, exposure: Exposure) -> list[Way]:
    """The addresses and ports of the gateways by which an exposed service is entered."""
    providers = mesh.deployment.topology.providers(exposure)
    ways = (way for name in providers for way in mesh.ways_to(name).values())
    return list(dict.fromkeys(ways))


def identities_of(topology: Topology, exposure: Exposure, served: Served) -> list[str]:
    """The SPIFFE IDs that the instances of an exposed service may have."""
    meshes = (topology[name].mesh for name in topology.providers(exposure))
    return list(dict.fromkeys(mesh.identity(served.namespace, served.account) for mesh in meshes))


def _counts_for(topology: Topology, cluster: str, others: Sequence[str]) -> bool:
    return cluster in {topology.configured_by(name) for name in others}


def _ports(served: Served) -> list[Object]:
    return [
        {"number": number, "name": name, "protocol": "HTTP" if name.startswith("http") else "TCP"}
        for name, number in served.ports.items()
    ]


def _object(kind: str, what: str, exposure: Exposure, served: Served, spec: Object) -> Object:
    metadata = {"name": f"{what}-{exposure.host}", "namespace": served.namespace}
    return {"apiVersion": _NETWORKING, "kind": kind, "metadata": metadata, "spec": spec}
