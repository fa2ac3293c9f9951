"""Services of other meshes by their global names, while a mesh is on its way to another Istio."""

from __future__ import annotations

from meshproof.expect import Verdict, all_of, answered_from_home, went_through
from meshproof.model import Exposure
from meshproof.traffic.calls import Plan, answers, call
from meshproof.traffic.settle import converge
from meshproof.workloads.dns_sleeps import DNS_SLEEP, dns_sleeps
from meshproof.workloads.exposed import exposed_versions, hosts_of, url_of
from meshproof.workloads.sample import Sample

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
    plan = Plan(url_of(imported), times=_CALLS)
    # A pod that was just made learns of names after it is ready.
    converge(
        lambda: answers(sample, caller, plan),
        until=lambda seen: bool(seen) and all(one.succeeded for one in seen),
        what=f"answers by {imported.host} in {importer}",
    )
    responses = call(sample, caller, plan)
    return all_of(
        [
            answered_from_home(responses, exposed_versions(sample, imported)),
            went_through(
                responses, hosts_of(sample, imported), f"the gateway of {imported.provider}"
            ),
        ]
    )
