"""The server outside the mesh, known to it, with a way that leads there by the relay or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from meshproof.kube.workload import Workload
from meshproof.mesh.config_dump import ROUTES, in_use
from meshproof.mesh.configuration import configured
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.process import side_by_side
from meshproof.traffic.settle import arrive, await_healed, require
from meshproof.workloads.sample import PORT, Sample
from suites.hops.proxies import Proxies
from suites.hops.ways import BEYOND, beyond, way_out


@contextmanager
def known(sample: Sample, found: Proxies) -> Iterator[None]:
    """All callers and the relay know the server inside the block, and none afterwards, or the mesh
    is marked dirty. Raises EvidenceError when one does not learn of it."""
    proxies = [found.relay, *map(sample.caller, sample.clusters)]

    def ignorant() -> list[str]:
        there = outbound(BEYOND, PORT)
        return [str(one) for one in proxies if not endpoints(one, there)]

    try:
        with configured(sample.mesh, [beyond(found.external.address)]):
            require(ignorant, until=lambda names: not names, what=f"{BEYOND} in proxies")
            yield
    finally:
        await_healed(sample, lambda: len(ignorant()) == len(proxies), f"the end of {BEYOND}")


@contextmanager
def leaving(sample: Sample, found: Proxies) -> Iterator[None]:
    """As ``known``, and all are told of the way out by the relay, as far as they are within half a
    minute."""
    proxies = [found.relay, *map(sample.caller, sample.clusters)]
    way = way_out()
    note = f"/virtual-service/{way['metadata']['name']}"
    look = partial(_told, sample, proxies, note)
    with known(sample, found):
        try:
            with configured(sample.mesh, [way]):
                everybody = len(proxies)
                arrive(sample.mesh, look, until=lambda n: n == everybody, what="the way out")
                yield
        finally:
            await_healed(sample, lambda: look() == 0, "the end of the way out")


def _told(sample: Sample, proxies: list[Workload], note: str) -> int:
    """How many proxies use a rule that is known by this note."""
    texts = side_by_side(sample.mesh.shell, lambda one: in_use(one, ROUTES), proxies)
    return sum(note in text for text in texts)
