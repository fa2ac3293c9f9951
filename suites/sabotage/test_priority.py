"""Calls that prefer somebody else are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.runner.behaviours import proves
from meshproof.traffic.routing import ruled
from meshproof.workloads.sample import Sample
from suites.priority.claims import preferred_alone
from suites.priority.rules import preferring

Judge = Callable[[Verdict], None]


@proves("priority/preferred-label-first")
@pytest.mark.each_shape
def test_another_preference_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a rule that prefers the caller's own version, the claim of another cluster's fails."""
    verdicts = []
    for caller, target in sample.topology.pairs:
        own = sample.versions_in(caller)[0]
        with ruled(sample, [preferring("version", own)]):
            verdict = preferred_alone(sample, caller, target)
        verdicts.append(noticed([verdict], f"{own} from {caller}"))
    judge(all_of(verdicts))
