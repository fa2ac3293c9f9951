"""What is claimed of helloworld by its further names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    calls_to_meet,
    went_through,
)
from meshproof.mesh.proxy import outbound
from meshproof.traffic.calls import Plan, call_from_each
from meshproof.traffic.response import Response
from meshproof.traffic.upstream import upstream_of
from meshproof.workloads.sample import PORT, Sample


def reached_by(sample: Sample, plan: Plan, host: str) -> Verdict:
    """From each cluster the call is answered by every version: its caller's proxy sends it to the
    service ``host``, and on the way that leads to the version, of its pods or a gateway."""
    times = calls_to_meet(sample.smallest_share)
    batches = call_from_each(sample, replace(plan, times=times))
    return all_of(verdict for batch in batches for verdict in _of(sample, batch, host))


def _of(sample: Sample, responses: Sequence[Response], host: str) -> list[Verdict]:
    caller = responses[0].caller
    reached = sample.reached_from(caller)
    ways = [(upstream_of(sample, caller, version), version) for version in reached]
    theirs = {version: [one for one in responses if one.version == version] for version in reached}
    return [
        _sent_to(responses, outbound(host, PORT)),
        answered_from_home(responses, reached),
        *(
            went_through(theirs[version], upstream.hosts, upstream.what)
            for upstream, version in ways
            if theirs[version]
        ),
    ]


def _sent_to(responses: Sequence[Response], cluster: str) -> Verdict:
    """Whether each call was sent to this Envoy cluster, by its caller's log."""
    expected = f"{len(responses)} calls from {responses[0].caller} to be sent to {cluster}"
    logs = [one.log for one in responses if one.log is not None]
    other = [log for log in logs if log.upstream_cluster != cluster]
    if other:
        observed = f"{len(other)} were sent to {other[0].upstream_cluster or 'nowhere'}"
        return Verdict(Outcome.FAIL, expected, observed)
    if len(logs) < len(responses):
        observed = f"{len(responses) - len(logs)} have no line in the caller's access log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, f"all {len(logs)}")
