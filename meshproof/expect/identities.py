"""Judges who proxies took each other for in calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from meshproof.expect.verdict import Outcome, Verdict
from meshproof.traffic.response import Response
from meshproof.workloads.sample import Sample


def peers_are(sample: Sample, caller: str, responses: Sequence[Response]) -> Verdict:
    """PASS when in each call from sleep in a cluster the server was told of sleep's identity, and
    the caller's proxy of helloworld's; FAIL tells what else it was. A call without its line in the
    caller's log is for ``believable`` to judge; of none that has one this is INCONCLUSIVE."""
    client, server = sample.caller_identity(caller), sample.server_identity(caller)
    seen = Counter(
        (one.identity, one.served_as, one.log.upstream_peer) for one in responses if one.log
    )
    right = (client, server, server)
    wrong = {names: count for names, count in seen.items() if names != right}
    sides = f"the client to be {client} and the server {server}"
    expected = f"{sides} in {len(responses)} calls"
    if not seen:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no call is in the caller's log")
    observed = "; ".join(
        f"{count} with client {names[0]}, server {names[1]}, in the caller's log {names[2] or None}"
        for names, count in (wrong or seen).items()
    )
    return Verdict(Outcome.FAIL if wrong else Outcome.PASS, expected, observed)
