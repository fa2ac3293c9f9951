"""What is claimed of distribution, so that sabotage can claim the same of a broken mesh."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict, answered_from_home, calls_to_meet
from meshproof.mesh.mesh import Settling
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.settle import reachable_by
from meshproof.workloads.sample import Sample


def settles_in_time(settling: Settling | None) -> Verdict:
    """After its installation, or a change of its mode, a mesh came to rest within a minute."""
    expected = (
        "every version to answer every caller as it should within a minute, and connections from "
        "before to be closed half a minute later"
    )
    if settling is None:
        return Verdict(Outcome.INCONCLUSIVE, expected, "nobody has waited for it")
    if not settling.came_about:
        observed = f"after {settling.seconds:.0f} s still: {settling.missing}"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, f"after {settling.seconds:.1f} s they did")


def every_version_answers(sample: Sample, calling: str) -> Verdict:
    """Each version that can be reached answers, from its own cluster, and no call fails.
    ``calling``: a cluster, or a machine outside Kubernetes."""
    caller, times = sample.calling(calling), calls_to_meet(sample.smallest_share)
    responses = call(sample, caller, Plan(times=times))
    return answered_from_home(responses, reachable_by(sample, caller))
