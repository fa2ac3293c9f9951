"""What is claimed of calls while a machine leaves."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.expect import Outcome, Verdict
from meshproof.expect.control import as_control
from meshproof.expect.loss import lost_only_until, of_a_stream
from meshproof.traffic.stream_history import History, StreamCall
from meshproof.workloads.sample import Sample


@dataclass(frozen=True)
class Left:
    """A stream of calls over a machine's leaving. ``entry``: what came of its WorkloadEntry;
    ``within``: how many seconds that may take."""

    history: History
    entry: Verdict
    within: float


def costs_little(sample: Sample, machine: str, left: Left) -> Verdict:
    """Calls are lost, if at all, no later than the WorkloadEntry may last, and from then on none is
    answered by the machine, which answered every caller before; how many were lost is told."""
    history = left.history
    claims = [
        left.entry,
        lost_only_until(history, left.within),
        _heard_no_more(sample, machine, left),
        _heard_before(sample, machine, history),
    ]
    return of_a_stream(history, claims)


def _heard_before(sample: Sample, machine: str, history: History) -> Verdict:
    """The control: the machine was one of those that answered."""
    version = sample.machines[machine].version
    callers = [name for name in history.counts if version in sample.machine_versions(name)]
    before = [one for one in history.calls if one.at < history.changed and _by(machine, one)]
    silent = sorted(set(callers) - {one.caller for one in before})
    expected = f"{machine} to answer {', '.join(callers)} before it left"
    if silent or not callers:
        who = ", ".join(silent) or "anybody"
        return as_control(Verdict(Outcome.FAIL, expected, f"{machine} did not answer {who}"))
    return as_control(Verdict(Outcome.PASS, expected, f"{machine} answered {len(before)} calls"))


def _heard_no_more(sample: Sample, machine: str, left: Left) -> Verdict:
    since = left.history.done + left.within
    expected = f"no call to be answered by {machine} later than {left.within:.0f} s after it left"
    later = left.history.between(since, float("inf"))
    by_it = [one for one in later if _by(machine, one)]
    if by_it:
        observed = f"{machine} answered {len(by_it)} calls, the last "
        return Verdict(Outcome.FAIL, expected, observed + left.history.relative(by_it[-1].at))
    if not any(one.answered for one in later):
        return Verdict(Outcome.INCONCLUSIVE, expected, "no call was answered after that")
    return Verdict(Outcome.PASS, expected, f"{len(later)} calls were answered by others")


def _by(machine: str, call: StreamCall) -> bool:
    return call.answered and call.pod == machine
