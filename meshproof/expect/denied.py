"""Judges calls that a policy denies, by what the servers' own proxies logged of them."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.expect.verdict import Outcome, Verdict
from meshproof.traffic.heard import heard_by_version
from meshproof.traffic.response import Response
from meshproof.workloads.sample import Sample

FORBIDDEN, DENIED = 403, "RBAC: access denied"
"""The status and the body with which a proxy answers what a policy denies."""


def denied_by_servers(sample: Sample, responses: Sequence[Response], why: str) -> Verdict:
    """PASS when each request is in the log of one server's proxy, as refused for this reason to
    sleep's identity, and each version has refused some.

    ``why``: text in the log's details, such as "policy[deny-sleep]", or "policy[none]" where no
    rule allows it. INCONCLUSIVE: a request in no log, or a version that none came to.
    """
    caller = responses[0].caller if responses else ""
    identity = sample.caller_identity(caller) if caller else "nobody"
    expected = f"all versions' proxies to log {FORBIDDEN} for '{why}' to {identity}"
    lines = heard_by_version(sample, caller, [one.id for one in responses])
    missing = len(responses) - sum(map(len, lines.values()))
    if missing or not responses:
        observed = f"{missing} of {len(responses)} requests in no server's log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    wrong = [
        (version, line)
        for version, theirs in lines.items()
        for line in theirs
        if line.status != FORBIDDEN or why not in line.details or line.peer != identity
    ]
    counted = ", ".join(f"{version}: {len(theirs)}" for version, theirs in lines.items())
    if wrong:
        observed = f"{len(wrong)} otherwise, such as {wrong[0][1]} in {wrong[0][0]}"
        return Verdict(Outcome.FAIL, expected, observed, {"requests": counted})
    silent = [version for version, theirs in lines.items() if not theirs]
    if silent:
        observed = f"no request came to {', '.join(silent)} ({counted})"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, counted)
