"""Re-wiring running clusters: what the new wiring forbids ends at once, open or not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, kept_out
from meshproof.expect.reach import goes_on, was_reset
from meshproof.lab import Lab
from meshproof.model import Capability, Pair, flat, isolated
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic import Target, attempt
from meshproof.traffic.conversation import converse
from meshproof.workloads import Echo
from meshproof.workloads.echo import PATIENT_PORT
from suites.isolation.targets import pod_targets


@behaviour("isolation/cut-ends-open-flows", feature="isolation")
@requires(Capability.ROUTER)
@pytest.mark.bare_lab("east,west", "flat")
def test_open_flows_end_when_a_network_is_cut(
    lab: Lab, echoes: dict[str, Echo], pair: Pair, judge: Callable[[Verdict], None]
) -> None:
    """When a flat network is cut, connections that are open between its clusters are reset."""
    caller, called = (echoes[name].pod for name in pair)
    target = Target("the pod", called.address, PATIENT_PORT)
    control = converse(lab, caller, target, pair, lambda: None)
    try:
        cut = converse(lab, caller, target, pair, lambda: lab.rewire(isolated()))
        later = attempt(lab, caller, pod_targets(echoes[pair[1]])[0], called)
    finally:
        lab.rewire(flat(lab.footprint))
    judge(all_of([goes_on(control), was_reset(cut), kept_out(later)]))
