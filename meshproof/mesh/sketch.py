"""A deployment on paper: what would be installed, at documentation's addresses (RFC 5737)."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

from meshproof.artifacts import Bundle, default_wanted
from meshproof.mesh.blueprint import Blueprint
from meshproof.mesh.mesh import Way
from meshproof.model import Deployment, Exposure, Member, Role, Topology, Version

_DOCUMENTATION = IPv4Address("192.0.2.0")
_GATEWAYS, _ISTIODS = 100, 200


def sketched(topology: Topology) -> Deployment:
    """The plain deployment of a topology, with the newest versions that are known."""
    wanted = default_wanted()
    return Deployment(topology, dict.fromkeys(topology.names, wanted.istio[0]), wanted.kubernetes)


def on_paper(deployment: Deployment) -> Blueprint:
    """What is installed of a deployment, with Istio's published images and without any trust."""
    topology = deployment.topology
    gateways = {
        one.name: _address(topology, one, _GATEWAYS) for one in topology.members if one.gateway
    }
    istiods = {}
    for one in topology.remotes:
        primary = topology[one.primary]
        near = topology.same_network(one.name, primary.name) or primary.role is Role.EXTERNAL
        istiods[one.name] = _address(topology, primary, _ISTIODS if near else _GATEWAYS)
    return Blueprint(deployment, _published(deployment), {}, gateways, istiods)


def ways_on_paper(plan: Blueprint, exposure: Exposure) -> list[Way]:
    """The gateways by which an exposed service is entered, where a plan has them."""
    topology = plan.deployment.topology
    gateways = (one for name in topology.providers(exposure) for one in topology.gateways_to(name))
    return [
        Way(plan.gateways[one.name], one.gateway.port)
        for one in dict.fromkeys(gateways)
        if one.gateway is not None
    ]


def _published(deployment: Deployment) -> Bundle:
    """As much of a bundle as documents are made from: nothing was built for it."""
    versions = dict.fromkeys(deployment.istio.values())
    images = {f"pilot:{version}": f"docker.io/istio/pilot:{version}" for version in versions}
    nowhere = Path()
    whole: dict[Version, tuple[str, ...]] = dict.fromkeys(versions, ())
    return Bundle("published", "", nowhere, {}, images, "", {}, {}, nowhere, whole)


def _address(topology: Topology, member: Member, first: int) -> IPv4Address:
    return _DOCUMENTATION + first + topology.names.index(member.name)
