"""What is claimed of routing by version, weight and header, by calls from every cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    calls_needed,
    share_of,
)
from meshproof.mesh.gateways import sni_of
from meshproof.process import side_by_side
from meshproof.traffic.access_log import entries_of_all
from meshproof.traffic.calls import Plan, call_from_each
from meshproof.traffic.response import Response
from meshproof.workloads.sample import HOST, PORT, Sample
from suites.routing.rules import FRIEND, HEADER

# Where half the calls went elsewhere, the odds that none of so many does are 1 in 10^9.
_CALLS = 30
_TOLERANCE = 0.15


def all_answered_by(
    sample: Sample, version: str, headers: Mapping[str, str] | None = None
) -> Verdict:
    """Every call from every cluster is answered by one version, in the cluster it runs in."""
    batches = call_from_each(sample, Plan(times=_CALLS, headers=headers or {}))
    return all_of([_only(sample, responses, version) for responses in batches])


def asked_for_by_name(sample: Sample, version: str) -> Verdict:
    """Calls reach the version's pod with its subset's name as SNI, from its own cluster and from
    the other: a gateway between networks has only this to go by."""
    batches = call_from_each(sample, Plan(times=_CALLS))
    checks = [_only(sample, responses, version) for responses in batches]
    responses = [one for batch in batches for one in batch]
    return all_of([*checks, _asked_for(sample, responses, version)])


def shared_by_weight(sample: Sample, shares: Mapping[str, float]) -> Verdict:
    """From each cluster, the versions answer their shares of the calls, nobody else answers, and
    none fails."""
    times = max(calls_needed(share, _TOLERANCE) for share in shares.values())
    batches = call_from_each(sample, Plan(times=times))
    return all_of([_share(sample, responses, shares) for responses in batches])


def first_and_last(sample: Sample) -> tuple[str, str]:
    """Two of the versions that all callers reach."""
    return sample.common[0], sample.common[-1]


def told_apart_by_header(sample: Sample, version: str, otherwise: str) -> Verdict:
    """Calls with the header are answered by one version; those without it, or with another
    value, by the other."""
    wanted = [(version, FRIEND), (otherwise, {}), (otherwise, {HEADER: "somebody else"})]
    shell = sample.mesh.shell
    return all_of(side_by_side(shell, lambda one: all_answered_by(sample, *one), wanted))


def _only(sample: Sample, responses: Sequence[Response], version: str) -> Verdict:
    return answered_from_home(responses, {version: sample.versions[version]})


def _share(sample: Sample, responses: Sequence[Response], shares: Mapping[str, float]) -> Verdict:
    version, share = next(iter(shares.items()))  # that of the other follows
    part = share_of(responses, version, share, _TOLERANCE)
    caller = responses[0].caller
    told = replace(part, observed=f"calls from {caller}, answered by {version}: {part.observed}")
    homes = {one: sample.versions[one] for one in shares}
    return all_of([answered_from_home(responses, homes), told])


def _asked_for(sample: Sample, responses: Sequence[Response], version: str) -> Verdict:
    sni = sni_of(HOST, PORT, version)
    expected = f"{len(responses)} calls to reach {version} with the SNI {sni}"
    servers = [one for one in sample.servers().values() if one.version == version]
    lines = entries_of_all(servers, [one.id for one in responses])
    other = [line for line in lines.values() if line.sni != sni]
    if other:
        observed = f"{len(other)} did not, such as {other[0].request_id}: '{other[0].sni}'"
        return Verdict(Outcome.FAIL, expected, observed)
    if len(lines) < len(responses) or not responses:
        observed = f"only {len(lines)} have a line in the log of {' or '.join(map(str, servers))}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, f"all {len(lines)} of them")
