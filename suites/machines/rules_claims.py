"""What is claimed of rules and policies that are about a machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    calls_needed,
    refused_with,
    share_of,
)
from meshproof.expect.control import as_control
from meshproof.expect.denied import DENIED, FORBIDDEN
from meshproof.kube.workload import Workload
from meshproof.process import side_by_side
from meshproof.traffic.access_log import entries_of
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.workloads.sample import Sample
from suites.machines.rules import POLICY

_TIMES = 12
_TOLERANCE = 0.15


def shared_by_weight(sample: Sample, machine: str, share: float, other: str) -> Verdict:
    """From each cluster that knows it the version on a machine answers its share of the calls,
    another version the rest, and none fails."""
    version = sample.machines[machine].version
    callers = _callers(sample, version)
    plan = Plan(times=calls_needed(share, _TOLERANCE))
    batches = side_by_side(sample.mesh.shell, lambda one: call(sample, one, plan), callers)
    homes = {version: sample.machines[machine].cluster, other: sample.versions[other]}
    return all_of(
        verdict
        for responses in batches
        for verdict in (
            answered_from_home(responses, homes),
            _share(responses, version, share),
        )
    )


def denied_to_sleep(sample: Sample, machine: str) -> Verdict:
    """With all calls led to a machine's version, sleep of each cluster is denied by the machine's
    own proxy, by the policy that denies it; the control: another account is answered."""
    one = sample.machines[machine]
    verdicts = [_denied(sample, one, name) for name in _callers(sample, one.version)]
    other = next((each for each in sample.machines.values() if each.name != machine), one)
    answers = call(sample, other, Plan(times=_TIMES))
    control = as_control(answered_from_home(answers, {one.version: one.cluster}))
    return all_of([*verdicts, control])


def _share(responses: Sequence[Response], version: str, share: float) -> Verdict:
    part = share_of(responses, version, share, _TOLERANCE)
    told = f"calls from {responses[0].caller}, answered by {version}: {part.observed}"
    return replace(part, observed=told)


def _denied(sample: Sample, server: Workload, caller: Workload) -> Verdict:
    responses = call(sample, caller, Plan(times=_TIMES))
    refused = refused_with(responses, status=FORBIDDEN, detail=DENIED)
    return all_of([refused, _by_the_machine(server, caller, responses)])


def _by_the_machine(server: Workload, caller: Workload, responses: Sequence[Response]) -> Verdict:
    """The machine's own log has each of the requests, as denied by the policy to the caller."""
    expected = f"{server.name}'s proxy to deny {caller.identity} by {POLICY}"
    lines = entries_of(server, [one.id for one in responses])
    missing = len(responses) - len(lines)
    if missing:
        observed = f"{missing} of {len(responses)} requests are not in its log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    wrong = [
        one
        for one in lines.values()
        if one.status != FORBIDDEN or POLICY not in one.details or one.peer != caller.identity
    ]
    if wrong:
        observed = f"{len(wrong)} otherwise, such as {wrong[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, f"so it did {len(lines)} times")


def _callers(sample: Sample, version: str) -> list[Workload]:
    """sleep of each cluster whose istiod knows the version on a machine."""
    names = [name for name in sample.clusters if version in sample.machine_versions(name)]
    return [sample.caller(name) for name in names]
