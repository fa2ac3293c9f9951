"""Machines: one without a proxy, which a WorkloadEntry announces that is written by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.model import Capability, Mtls
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from suites.machines.bare import bare, in_mode
from suites.machines.bare_claims import answered_in_plain_text, called_in_plain_text, turned_away
from suites.machines.membership import serving
from suites.machines.rules import by_weight

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.machines


@behaviour("machines/bare", feature="machines", level="extended")
@requires(Capability.ROUTER)
def test_a_machine_without_a_proxy_calls_and_is_called(sample: Sample, judge: Judge) -> None:
    """A machine without a proxy is called in plain text in every mTLS mode, and its own calls are
    answered unless the mode is strict, in which its connections are ended."""
    one, verdicts = serving(sample), list[Verdict]()
    rules = by_weight({sample.machines[one].version: 100})
    for mode in Mtls:
        with in_mode(sample, mode), bare(sample, one) as machine:
            with in_force(sample, rules):
                verdicts.append(called_in_plain_text(sample, one))
            own = turned_away if mode is Mtls.STRICT else answered_in_plain_text
            verdicts.append(own(sample, one, machine))
    judge(all_of(verdicts))
