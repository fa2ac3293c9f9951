"""What is claimed of callers whose servers fail or are slow: by the callers' logs, which say how
often a call was sent, and the servers', which say how often it arrived."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    believable,
    calls_to_meet,
    refused_with,
    served_by_exactly,
    succeeded,
    who_answered,
)
from meshproof.expect.control import as_control, with_control
from meshproof.faults.servers import failing, slow
from meshproof.kube.workload import Workload
from meshproof.traffic.access_log import LogLine, arrivals
from meshproof.traffic.calls import Plan, call_from_each
from meshproof.traffic.response import Response
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import Sample
from suites.resilience.rules import EJECTED_AFTER, RETRIES, TIMEOUT, left_out

# With two servers the odds that none of so many calls meets the one that fails are 1 in 10^9.
_CALLS = 30
_FEW, _SLOW = 4, 2
_EARLIEST, _LATE = 0.8 * TIMEOUT, 3 * TIMEOUT
_FAILED = 503
# A proxy counts errors as they come.
_EJECTED_WITHIN = 10.0

Arrived = Mapping[str, Sequence[tuple[Workload, LogLine]]]


def retried_elsewhere(sample: Sample, version: str, attempts: int = RETRIES + 1) -> Verdict:
    """Calls that a version fails are sent again until another answers, no more than ``attempts``
    times in all, and arrive as often as they were sent."""

    def of(responses: Sequence[Response], arrived: Arrived) -> list[Verdict]:
        others = _others(sample, responses[0].caller, version)
        return [
            believable(responses, attempts),
            succeeded(responses),
            served_by_exactly(responses, others),
            _met(responses, arrived, version),
            _as_often_as_sent(responses, arrived),
        ]

    return _with_failing(sample, version, of)


def told_at_once(sample: Sample, version: str) -> Verdict:
    """Without a rule that has them sent again, calls that a version fails end with its error: each
    is sent once and arrives once."""

    def of(responses: Sequence[Response], arrived: Arrived) -> list[Verdict]:
        failed = [one for one in responses if _arrived_at(arrived, one, version)]
        # What was sent and arrived nowhere may have been for this version.
        others = [one for one in responses if one not in failed and not _lost(arrived, one)]
        return [
            believable(responses),
            _as_often_as_sent(responses, arrived),
            _met(responses, arrived, version),
            *([refused_with(failed, status=_FAILED)] if failed else []),
            *([succeeded(others)] if others else []),
        ]

    return _with_failing(sample, version, of)


def ends_in_time(sample: Sample, version: str) -> Verdict:
    """A version that answers too late gets its calls ended by their caller's proxy, in time; when
    it answers at once, they succeed."""
    late = call_from_each(sample, Plan(times=_SLOW, headers=slow(version, _LATE)))
    soon = call_from_each(sample, Plan(times=_FEW))
    home = {version: sample.versions[version]}
    return all_of(
        [
            *(as_control(answered_from_home(batch, home)) for batch in soon),
            *(refused_with(batch, status=504, flags="UT") for batch in late),
            *(believable(batch) for batch in late),
            *(_lasted(batch, _EARLIEST, _LATE) for batch in late),
        ]
    )


def ejected(sample: Sample, version: str) -> Verdict:
    """Once a version has failed several times in a row no caller calls it any more, though it
    would answer; before, it did."""
    times = calls_to_meet(sample.smallest_share)
    before = call_from_each(sample, Plan(times=times))
    failed = call_from_each(sample, Plan(times=_CALLS, headers=failing(version)))
    converge(
        lambda: left_out(sample).keys(),
        until=lambda names: len(names) == len(sample.clusters),
        what=f"{version} without calls",
        within=_EJECTED_WITHIN,
    )
    after = call_from_each(sample, Plan(times=times))
    everybody = [sample.reached_from(batch[0].caller) for batch in before]
    controls = [answered_from_home(*one) for one in zip(before, everybody, strict=True)]
    left = [answered_from_home(one, _others(sample, one[0].caller, version)) for one in after]
    return with_control(all_of(left), all_of([*controls, *map(_enough_errors, failed)]))


def _with_failing(
    sample: Sample, version: str, of: Callable[[Sequence[Response], Arrived], list[Verdict]]
) -> Verdict:
    """What is claimed of calls from each cluster that the version fails, with their arrivals."""
    batches = call_from_each(sample, Plan(times=_CALLS, headers=failing(version)))
    sent = {one.id: one.log.attempts if one.log else 1 for batch in batches for one in batch}
    arrived = arrivals(sample.every_server(), sent)
    return all_of(verdict for batch in batches for verdict in of(batch, arrived))


def _others(sample: Sample, caller: str, version: str) -> dict[str, str]:
    return {one: home for one, home in sample.reached_from(caller).items() if one != version}


def _arrived_at(arrived: Arrived, response: Response, version: str) -> bool:
    return any(server.version == version for server, _ in arrived[response.id])


def _lost(arrived: Arrived, response: Response) -> bool:
    """Whether a call was sent, and no server's log says where it came to."""
    return not arrived[response.id] and response.log is not None and response.log.attempts > 0


def _met(responses: Sequence[Response], arrived: Arrived, version: str) -> Verdict:
    """A control: the version was called, and failed."""
    met = [one for one in responses if _arrived_at(arrived, one, version)]
    expected = f"some of {len(responses)} calls to meet {version}, which fails them"
    if not met:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"none did: {who_answered(responses)}")
    return Verdict(Outcome.PASS, expected, f"{len(met)} did")


def _as_often_as_sent(responses: Sequence[Response], arrived: Arrived) -> Verdict:
    """Whether each call arrived as often as its caller's log says it was sent."""
    expected = f"{len(responses)} calls to arrive as often as they were sent"
    logged = [(one, one.log.attempts) for one in responses if one.log]
    for one, attempts in logged:
        if len(arrived[one.id]) > attempts:
            observed = f"call {one.id} was sent {attempts} times and arrived {len(arrived[one.id])}"
            return Verdict(Outcome.FAIL, expected, f"{observed} times: a hidden retry")
    missing = [one for one, attempts in logged if len(arrived[one.id]) < attempts]
    if missing or len(logged) < len(responses):
        names = ", ".join(one.id for one in missing[:1])
        observed = f"{len(missing)} without all lines in servers' logs, such as {names or 'none'}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, f"{sum(times for _, times in logged)} arrivals")


def _lasted(responses: Sequence[Response], least: float, most: float) -> Verdict:
    """Whether each call took so many seconds."""
    expected = f"calls to end after {least} s, and before {most} s"
    wrong = [one.seconds for one in responses if not least <= one.seconds < most]
    if wrong:
        return Verdict(Outcome.FAIL, expected, f"{len(wrong)} did not, one after {wrong[0]} s")
    return Verdict(Outcome.PASS, expected, f"the last after {max(o.seconds for o in responses)} s")


def _enough_errors(responses: Sequence[Response]) -> Verdict:
    """A control: as many errors as it takes."""
    errors = [one for one in responses if one.status == _FAILED]
    expected = (
        f"at least {EJECTED_AFTER} of {len(responses)} calls from {responses[0].caller} to fail"
    )
    outcome = Outcome.PASS if len(errors) >= EJECTED_AFTER else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, f"{len(errors)} did: {who_answered(responses)}")
