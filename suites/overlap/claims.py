"""What is claimed of calls where both clusters have pods of one address, for sabotage as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address

from meshproof.errors import EvidenceError
from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    believable,
    served_by_exactly,
    succeeded,
    went_through,
)
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.endpoints import await_pods, pods_of, usual_pods
from meshproof.traffic.response import Response
from meshproof.workloads.sample import PORT, Sample
from meshproof.workloads.scale import scaled

REPLICAS, _MOST = 3, 10
# Each of six to twenty instances is chosen at random: the odds that one is never chosen are 1 in
# 10^6, and 1 in 60 with twenty: then the verdict is INCONCLUSIVE.
_CALLS = 80


@contextmanager
def pods_of_one_address(sample: Sample) -> Iterator[IPv4Address]:
    """All versions have so many pods that an address is found in all their clusters; yields it.

    Nodes hand out addresses in ascending order, so pods are added to whichever cluster lags
    behind. Raises EvidenceError when there is no such address with ten pods either.
    """
    replicas = dict.fromkeys(sample.versions, REPLICAS)
    try:
        with ExitStack() as stack:
            for version, count in replicas.items():
                stack.enter_context(scaled(sample, version, count))
            while not (shared := _shared(sample)):
                behind = min(sample.versions, key=lambda version: max(_addresses(sample, version)))
                replicas[behind] += 1
                if replicas[behind] > _MOST:
                    raise EvidenceError(
                        f"no address came to exist in all of {', '.join(sample.homes)}"
                    )
                stack.enter_context(scaled(sample, behind, replicas[behind]))
            await_pods(sample, pods_of(sample, replicas))
            yield shared[0]
    finally:
        if not await_pods(sample, usual_pods(sample)):
            sample.mesh.mark_dirty("not all pods that were added are gone again")


def _shared(sample: Sample) -> list[IPv4Address]:
    found = [set(_addresses(sample, version)) for version in sample.versions]
    return sorted(set.intersection(*found))


def _addresses(sample: Sample, version: str) -> list[IPv4Address]:
    servers = sample.servers().values()
    return [one.address for one in servers if one.version == version]


def the_right_instance_answers(sample: Sample, address: IPv4Address) -> Verdict:
    """From each cluster every version answers; what went to the shared address was answered by
    the caller's own pod there, and what other clusters answered came by their gateways."""
    found = side_by_side(sample.mesh.shell, lambda one: _judged(sample, one, address), sample.homes)
    return all_of(found)


def _judged(sample: Sample, caller: str, address: IPv4Address) -> Verdict:
    responses = call(sample, sample.caller(caller), Plan(times=_CALLS))
    far = [
        went_through(
            [one for one in responses if one.cluster == there],
            set(map(str, sample.mesh.ways_to(there).values())),
            f"the gateway of {there}",
        )
        for there in sample.homes
        if there != caller and sample.topology.knows(caller, there)
    ]
    return all_of(
        [
            believable(responses),
            succeeded(responses),
            served_by_exactly(responses, sample.reached_from(caller)),
            _own_pod(responses, caller, address),
            *far,
        ]
    )


def _own_pod(responses: list[Response], caller: str, address: IPv4Address) -> Verdict:
    host = f"{address}:{PORT}"
    sent = [one for one in responses if one.log and one.log.upstream_host == host]
    expected = f"calls from {caller} to {host}, an address of both clusters, to reach its own pod"
    strays = [
        one
        for one in sent
        if one.server is None or (one.server.cluster, one.server.address) != (caller, address)
    ]
    if strays:
        observed = f"{len(strays)} of {len(sent)} did not, such as {strays[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    if not sent:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"none of {len(responses)} calls went there")
    return Verdict(Outcome.PASS, expected, f"all {len(sent)} did")
