"""Federations that grow: one mesh more, of a cluster on a network of its own. Data, no I/O."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import count

from meshproof.errors import ModelError
from meshproof.model.exposure import ZONE, Exposure
from meshproof.model.member import Gateway, Member, MeshSpec, Placement, Role
from meshproof.model.topology import Topology


def with_another_mesh(topology: Topology) -> Topology:
    """The same federation with one mesh more, which exposes its own of the first exposed service
    to all others of that service's root, and to which all that these expose is exposed.

    Raises ModelError where no mesh exposes anything.
    """
    if not topology.exposes:
        cause = f"{topology.name} exposes nothing to other meshes"
        raise ModelError(cause, "choose one that does, such as federation")
    first = topology.exposes[0]
    root = _mesh_of(topology, first).root
    member = _another(topology, root)
    others = dict.fromkeys(one.name for one in topology.meshes if one.root == root)
    service = first.service.partition(".")[0]
    host = f"{service}.{member.mesh.name}.{ZONE}"
    own = Exposure(member.mesh.name, first.service, tuple(others), host)
    grown = tuple(
        replace(one, consumers=(*one.consumers, member.mesh.name))
        if _mesh_of(topology, one).root == root
        else one
        for one in topology.exposes
    )
    version = _free("v", topology.versions)
    return replace(
        topology,
        members=(*topology.members, member),
        placements=(*topology.placements, Placement(version, member.name)),
        exposes=(*grown, own),
    )


def _another(topology: Topology, root: str) -> Member:
    """A cluster that is a mesh, made as the topology's last one is: meshes may share ranges."""
    name = _free("mesh-", [*topology.names, *(one.name for one in topology.meshes)])
    return Member(
        replace(topology.meshed[-1].cluster, name=name),
        Role.PRIMARY,
        _free("net-", topology.networks),
        name,
        Gateway(),
        MeshSpec(name, f"{name}.example", root),
    )


def _mesh_of(topology: Topology, one: Exposure) -> MeshSpec:
    return topology[topology.providers(one)[0]].mesh


def _free(begin: str, taken: Collection[str]) -> str:
    """A name that nobody has: the beginning and a number."""
    return next(name for number in count(1) if (name := f"{begin}{number}") not in taken)
