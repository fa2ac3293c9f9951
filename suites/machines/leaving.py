"""Machines that leave while pods call, in good order or not, and come back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

from meshproof.expect import Verdict
from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_over import over
from meshproof.workloads.sample import Sample
from suites.machines.leaving_claims import Left
from suites.machines.membership import away, powerless
from suites.machines.membership_claims import GONE_WITHIN, entry_goes

KILLED_WITHIN = 60.0
"""Seconds: where nothing tells istiod that a connection has ended it finds out by its keepalive
(https://istio.io/latest/docs/reference/commands/pilot-discovery/, keepaliveInterval: half a minute,
keepaliveTimeout: ten seconds), and waits for the grace then."""
_SEEN_AFTERWARDS = 10.0


def stopped(sample: Sample, machine: str) -> Left:
    """What comes of calls while Istio's unit is stopped on a machine."""
    return calls_over(sample, machine, "stopped", lambda: away(sample, machine), GONE_WITHIN)


def killed(sample: Sample, machine: str) -> Left:
    """What comes of calls while a machine loses its power."""
    return calls_over(sample, machine, "killed", lambda: powerless(sample, machine), KILLED_WITHIN)


def calls_over(
    sample: Sample,
    machine: str,
    how: str,
    gone: Callable[[], AbstractContextManager[None]],
    within: float,
) -> Left:
    """What comes of calls while a machine is gone, and of its WorkloadEntry within so many
    seconds. ``how``: what is done to it, for people; ``gone``: does it, for a block."""
    address, verdicts = sample.machines[machine].address, list[Verdict]()

    def doing(stream: Stream, stack: ExitStack) -> None:
        with stream.mark(f"{machine} is {how}"):
            stack.enter_context(gone())
        verdicts.append(entry_goes(sample, machine, within, at=address))
        stream.flow_for(within + _SEEN_AFTERWARDS)

    found = over(sample, doing)
    return Left(found.history, verdicts[0], within)
