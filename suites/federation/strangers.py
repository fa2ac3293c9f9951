"""Meshes to which a service is not exposed, and which know it all the same; and those to which one
and the same is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations

from meshproof.mesh.configuration import configured
from meshproof.mesh.exposure import address_of, identities_of, imported, ways_of
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.model import Exposure
from meshproof.traffic.settle import arrive, await_healed
from meshproof.workloads.sample import PORT, SERVED, Sample
from suites.federation.setting import asker, told


def strangers(sample: Sample) -> list[tuple[str, Exposure]]:
    """The clusters of other meshes than a service's own to which it is not exposed, with it."""
    topology = sample.topology
    return [
        (name, one)
        for one in topology.exposes
        for name in topology.workloads
        if name not in topology.importers(one)
        and topology[name].mesh != topology[topology.providers(one)[0]].mesh
    ]


def consumers_of_one(sample: Sample) -> list[tuple[str, Exposure, str]]:
    """A consumer of each service that is exposed to several meshes, the service, and a consumer of
    another mesh, in both orders."""
    topology = sample.topology
    return [
        (one, exposed, other)
        for exposed in topology.exposes
        for one, other in permutations(topology.importers(exposed), 2)
        if topology[one].mesh != topology[other].mesh
    ]


@contextmanager
def known_to(sample: Sample, stranger: str, one: Exposure) -> Iterator[None]:
    """A stranger has written the objects of a consumer inside the block, and its proxy knows the
    gateway, or half a minute has passed; afterwards it has forgotten it, or the mesh is marked
    dirty."""
    topology, caller = sample.topology, asker(sample, stranger)
    ways, names = ways_of(sample.mesh, one), identities_of(topology, one, SERVED)
    objects = imported(one, SERVED, address_of(topology, one), ways, names)
    service = outbound(one.host, PORT)

    def known() -> bool:
        return bool(endpoints(caller, service)) and told(sample, caller, one.host).exists

    try:
        with configured(sample.mesh, objects, {topology.configured_by(stranger)}):
            arrive(sample.mesh, known, what=f"{one.host} in {stranger}")
            yield
    finally:
        await_healed(sample, lambda: not endpoints(caller, service), f"the end of {one.host}")
