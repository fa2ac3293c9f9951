"""The consumer's entry of a global name, written otherwise for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy

from meshproof.kube.objects import Object, applied, apply
from meshproof.mesh.exposure import exposure_objects
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.model import Exposure
from meshproof.traffic.calls import Plan, answers
from meshproof.traffic.settle import await_healed
from meshproof.workloads.exposed import url_of
from meshproof.workloads.sample import PORT, SERVED, Sample
from suites.federation.setting import asker, told

_PROBES = 8


def written_for(sample: Sample, importer: str, imported: Exposure) -> dict[str, Object]:
    """What a consumer has of a service by the topology, by the objects' kinds."""
    where = sample.topology.configured_by(importer)
    name = f"imported-{imported.host}"
    found = exposure_objects(sample.mesh, where, [SERVED])
    return {one["kind"]: deepcopy(one) for one in found if one["metadata"]["name"] == name}


@contextmanager
def entry_changed(
    sample: Sample, importer: str, imported: Exposure, change: Callable[[Object], None]
) -> Iterator[None]:
    """The consumer's entry is another one inside the block; afterwards it is as it was, or the
    mesh is marked dirty."""
    entry = written_for(sample, importer, imported)["ServiceEntry"]
    change(entry)
    with rewritten(sample, importer, imported, [entry]):
        yield


@contextmanager
def rewritten(
    sample: Sample,
    importer: str,
    imported: Exposure,
    others: Sequence[Object],
    further: Sequence[Object] = (),
) -> Iterator[None]:
    """The consumer's own objects are ``others`` inside the block, and ``further`` ones are beside
    them; afterwards its own are as they were, or the mesh is marked dirty."""
    cluster = sample.mesh.cluster(sample.topology.configured_by(importer))
    own = written_for(sample, importer, imported)
    caller, service = asker(sample, importer), outbound(imported.host, PORT)
    known = set(endpoints(caller, service))
    homes = sample.topology.providers(imported)
    plan = Plan(url_of(imported), times=_PROBES, fresh=True)

    def as_before() -> bool:
        addresses = list(map(str, told(sample, caller, imported.host).addresses))
        found = answers(sample, caller, plan)
        return (
            set(endpoints(caller, service)) == known
            and addresses == own["ServiceEntry"]["spec"]["addresses"]
            and all(one.succeeded and one.cluster in homes for one in found)
        )

    try:
        with applied(cluster, further):
            apply(cluster, others)
            yield
    finally:
        apply(cluster, list(own.values()))
        await_healed(sample, as_before, f"the entry of {imported.host} as it was")


def without_address(entry: Object) -> None:
    """An entry that leaves its address to Istio."""
    entry["spec"].pop("addresses")
