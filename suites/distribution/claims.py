"""What is claimed of distribution, so that sabotage can claim the same of a broken mesh."""

from __future__ import annotations

from meshproof.expect import Verdict, answered_from_home, calls_to_meet
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.settle import reachable
from meshproof.workloads.sample import Sample


def every_version_answers(sample: Sample, caller: str) -> Verdict:
    """Each version that can be reached answers, from its own cluster, and no call fails."""
    times = calls_to_meet(sample.smallest_share)
    responses = call(sample, sample.caller(caller), Plan(times=times))
    return answered_from_home(responses, reachable(sample, caller))
