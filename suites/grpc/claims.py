"""What is claimed of calls by gRPC, so that sabotage can claim the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    calls_to_meet,
    refused_with,
    succeeded,
    went_through,
)
from meshproof.expect.control import as_control
from meshproof.traffic.calls import Plan, call, call_from_each
from meshproof.traffic.response import Refused, Response
from meshproof.traffic.settle import reachable
from meshproof.traffic.upstream import upstream_of
from meshproof.workloads.sample import GRPC_PORT, Sample
from suites.grpc.rules import URL

DENIED = "PermissionDenied"
"""The status of gRPC that is told of what an AuthorizationPolicy denies."""


def every_version_answers(sample: Sample, caller: str) -> Verdict:
    """Of the calls that a sleep makes by one connection each version answers some, from its own
    cluster and on its way, and both sides know each other's identity."""
    times = calls_to_meet(sample.smallest_share)
    responses = call(sample, sample.caller(caller), Plan(URL, times))
    reached = reachable(sample, caller)
    return all_of(
        [
            answered_from_home(responses, reached),
            *(_on_its_way(sample, caller, responses, one) for one in reached),
            _known(sample, caller, responses),
            _by_one_connection(responses),
        ]
    )


def denied_by_status(sample: Sample) -> Verdict:
    """Calls by gRPC that a policy denies end with its status for that, wherever they are made;
    meanwhile HTTP, which it does not deny, is answered."""
    batches = call_from_each(sample, Plan(URL, calls_to_meet(sample.smallest_share)))
    others = call_from_each(sample, Plan(times=4))
    return all_of(
        [
            *(refused_with(one, refusal=Refused.STATUS, detail=DENIED) for one in batches),
            *(as_control(succeeded(one)) for one in others),
        ]
    )


def _on_its_way(sample: Sample, caller: str, made: Sequence[Response], version: str) -> Verdict:
    upstream = upstream_of(sample, caller, version, GRPC_PORT)
    theirs = [one for one in made if one.version == version]
    return went_through(theirs, upstream.hosts, upstream.what)


def _known(sample: Sample, caller: str, made: Sequence[Response]) -> Verdict:
    client = sample.caller_identity(caller)
    expected = f"the servers to know {client}, and it each of them"
    wrong = Counter(
        f"{one.identity} and {one.log.upstream_peer}"
        for one in made
        if one.log and one.cluster
        if (one.identity, one.log.upstream_peer) != (client, sample.server_identity(one.cluster))
    )
    if wrong:
        return Verdict(Outcome.FAIL, expected, f"otherwise: {', '.join(wrong)}")
    return Verdict(Outcome.PASS, expected, f"in {len(made)} calls")


def _by_one_connection(made: Sequence[Response]) -> Verdict:
    """By several the calls would be shared by who balances connections, as any TCP."""
    sources = {one.source for one in made if one.source}
    expected = f"{len(made)} calls to be made by one connection"
    outcome = Outcome.PASS if len(sources) == 1 else Outcome.FAIL
    return as_control(Verdict(outcome, expected, f"by {len(sources)} connections"))
