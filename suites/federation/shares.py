"""Calls by a global name that are shared between the other mesh and the caller's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from meshproof.expect import Verdict, all_of, answered_from_home, calls_needed, part_of, share_of
from meshproof.kube.objects import Object
from meshproof.mesh.config_dump import ROUTES, in_use
from meshproof.mesh.configuration import configured
from meshproof.model import Exposure
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.settle import arrive, await_healed
from meshproof.workloads.exposed import exposed_versions, url_of
from meshproof.workloads.sample import HOST, NAMESPACE, Sample
from suites.federation.setting import asker

_NAME = "shared-across-meshes"
_TOLERANCE = 0.15


@contextmanager
def shared(sample: Sample, importer: str, imported: Exposure, percent: int) -> Iterator[None]:
    """A rule of the consumer's leaves so many percent of the calls by the global name to the other
    mesh, and leads the rest home, inside the block, as far as it is in force within half a minute;
    afterwards it is gone from the proxy, or the mesh is marked dirty."""
    caller = asker(sample, importer)

    def known() -> bool:
        return f"/virtual-service/{_NAME}" in in_use(caller, ROUTES)

    try:
        rule = _rule(imported, percent)
        with configured(sample.mesh, [rule], {sample.topology.configured_by(importer)}):
            arrive(sample.mesh, known, what="a rule of shares")
            yield
    finally:
        await_healed(sample, lambda: not known(), "the end of a rule of shares")


def shared_by_weight(sample: Sample, importer: str, imported: Exposure, percent: int) -> Verdict:
    """So many percent of the calls by the global name are answered by the other mesh, the rest at
    home, and nobody else answers."""
    there, here = exposed_versions(sample, imported), sample.reached_from(importer)
    share = percent / 100
    # Whichever side is one version tells for both.
    side, due = (here, 1 - share) if len(here) == 1 < len(there) else (there, share)
    plan = Plan(url_of(imported), times=calls_needed(due, _TOLERANCE))
    responses = call(sample, asker(sample, importer), plan)
    names = " or ".join(side)
    if len(side) == 1:
        part = share_of(responses, names, due, _TOLERANCE)
    else:
        by = [one.version in side if one.version else None for one in responses]
        part = part_of(by, f"{names} to answer", due, _TOLERANCE)
    told = replace(part, observed=f"answered by {names}: {part.observed}")
    return all_of([answered_from_home(responses, {**here, **there}), told])


def _rule(imported: Exposure, percent: int) -> Object:
    shares = {imported.host: percent, HOST: 100 - percent}
    routes = [{"destination": {"host": host}, "weight": one} for host, one in shares.items()]
    spec = {"hosts": [imported.host], "http": [{"route": routes}], "exportTo": ["."]}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": _NAME, "namespace": NAMESPACE},
        "spec": spec,
    }
