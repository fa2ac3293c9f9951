"""What is claimed of the clusters that endpoints are told to be in."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.expect import Outcome, Verdict
from meshproof.mesh.config_dump import endpoint_clusters
from meshproof.mesh.proxy import outbound
from meshproof.workloads.sample import HOST, PORT, Sample


def endpoints_tell_their_cluster(sample: Sample, caller: str) -> Verdict:
    """In a sleep's proxy each endpoint of helloworld says in its metadata which cluster it is in:
    a pod its own, a gateway the one that it stands in; and each that should be there is.

    Source: "workload" in the metadata "istio", whose last field is the cluster's id.
    """
    told = endpoint_clusters(sample.caller(caller), outbound(HOST, PORT))
    due = _due(sample, caller)
    expected = f"endpoints in {caller} to say {_listed(due)}"
    if not told or not due:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"{len(told)} endpoints in {caller}")
    wrong = {at: names for at, names in told.items() if names != due.get(at)}
    if wrong:
        return Verdict(Outcome.FAIL, expected, f"in {caller}: {_listed(wrong)}")
    missing = {at: names for at, names in due.items() if at not in told}
    if missing:
        return Verdict(Outcome.FAIL, expected, f"in {caller} there is no {_listed(missing)}")
    return Verdict(Outcome.PASS, expected, _listed(told))


def _due(sample: Sample, caller: str) -> dict[str, str]:
    """Where a cluster's sidecars call helloworld, and the cluster of whoever is there."""
    topology, found = sample.topology, {}
    for server in sample.every_server():
        if topology.same_network(caller, server.cluster):
            if topology.knows(caller, server.cluster):
                found[f"{server.address}:{PORT}"] = server.cluster
        elif topology.knows(caller, server.cluster):
            found |= {str(way): name for name, way in sample.mesh.ways_to(server.cluster).items()}
    return found


def _listed(told: Mapping[str, str]) -> str:
    return ", ".join(f"{at} of {name or 'no cluster'}" for at, name in sorted(told.items()))
