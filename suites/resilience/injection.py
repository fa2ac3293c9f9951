"""What is claimed of errors and latency that a rule injects into the calls for one version."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.expect import Outcome, Verdict, all_of, answered_from_home, believable, refused_with
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, call_all
from meshproof.traffic.response import Response
from meshproof.workloads.sample import Sample
from suites.resilience.rules import ABORTED, DELAY, WISH

_CALLS = 4
_LEAST = 0.95 * DELAY
"""Seconds: the caller's clock and the proxy's timer differ by milliseconds."""


def aborted_alone(sample: Sample, version: str) -> Verdict:
    """From each cluster calls for one version end at their caller's proxy, and those for others
    are answered."""
    found = _for_each(sample)
    bad = [batch for wish, batch in found if wish == version]
    return all_of(
        [
            *(refused_with(batch, status=ABORTED, flags="FI") for batch in bad),
            *(believable(batch) for batch in bad),
            *_answered(sample, [one for one in found if one[0] != version]),
        ]
    )


def delayed_alone(sample: Sample, version: str) -> Verdict:
    """From each cluster calls for every version are answered by it, those for one later by so much
    and those for others not."""
    found = _for_each(sample)
    timed = [_delayed(batch) if wish == version else _prompt(batch, wish) for wish, batch in found]
    return all_of([*timed, *_answered(sample, found)])


def _for_each(sample: Sample) -> list[tuple[str, list[Response]]]:
    """Calls from each cluster for each version."""
    versions = sample.common
    plans = [Plan(times=_CALLS, headers={WISH: one}) for one in versions]
    callers = [sample.caller(name) for name in sample.clusters]
    made = side_by_side(sample.mesh.shell, lambda one: call_all(sample, one, plans), callers)
    return [one for batches in made for one in zip(versions, batches, strict=True)]


def _answered(sample: Sample, found: Sequence[tuple[str, list[Response]]]) -> list[Verdict]:
    return [answered_from_home(batch, {wish: sample.versions[wish]}) for wish, batch in found]


def _delayed(responses: Sequence[Response]) -> Verdict:
    expected = f"each of {len(responses)} calls to be delayed by {DELAY} s, as its log says"
    short = [one for one in responses if one.seconds < _LEAST or not _flagged(one)]
    if any(one.log is None for one in responses):
        return Verdict(Outcome.INCONCLUSIVE, expected, "calls without a line in the caller's log")
    if short:
        observed = f"{len(short)} were not, such as one of {short[0].seconds} s: {short[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, f"all of them from {responses[0].caller}")


def _prompt(responses: Sequence[Response], version: str) -> Verdict:
    expected = f"calls for {version} not to be delayed"
    flagged = [one for one in responses if _flagged(one)]
    if flagged:
        return Verdict(Outcome.FAIL, expected, f"{len(flagged)} for {version} were delayed")
    quickest = min(one.seconds for one in responses)
    outcome = Outcome.PASS if quickest < DELAY else Outcome.FAIL
    return Verdict(outcome, expected, f"the quickest for {version} took {quickest} s")


def _flagged(response: Response) -> bool:
    """Whether the caller's log says that a fault has delayed the call (DI)."""
    return response.log is not None and "DI" in response.log.flags.split(",")
