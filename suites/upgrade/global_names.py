"""Services of other meshes by their global names, while a mesh is on its way to another Istio."""

from __future__ import annotations

from meshproof.expect import Verdict, all_of, answered_from_home, went_through
from meshproof.mesh.exposure import ways_of
from meshproof.model import Exposure
from meshproof.traffic.calls import Plan, answers, call
from meshproof.traffic.settle import converge
from meshproof.workloads.dns_sleeps import DNS_SLEEP, dns_sleeps
from meshproof.workloads.sample import PORT, Sample

_CALLS = 20


def global_names_lead_on(sample: Sample) -> Verdict:
    """Each cluster to which another mesh exposes a service is answered by that mesh's versions
    alone, by the service's global name and through that mesh's gateways: what its ServiceEntry, and
    a rule of ISTIO_MUTUAL, say is kept. Callers are pods that are made now. Raises LabError when
    one will not run."""
    with dns_sleeps(sample):
        return all_of(leads_on(sample, *one) for one in sample.topology.imports)


def leads_on(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """The same of one cluster and one service, by a sleep whose sidecar answers names."""
    caller = sample.caller(importer, DNS_SLEEP)
    plan = Plan(f"http://{imported.host}:{PORT}/hello", times=_CALLS)
    # A pod that was just made learns of names after it is ready.
    converge(
        lambda: answers(sample, caller, plan),
        until=lambda seen: bool(seen) and all(one.succeeded for one in seen),
        what=f"answers by {imported.host} in {importer}",
    )
    responses = call(sample, caller, plan)
    providers = sample.topology.providers(imported)
    homes = {version: home for version, home in sample.versions.items() if home in providers}
    hosts = set(map(str, ways_of(sample.mesh, imported)))
    return all_of(
        [
            answered_from_home(responses, homes),
            went_through(responses, hosts, f"the gateway of {imported.provider}"),
        ]
    )
