"""Priority: calls go to those that a rule prefers, as long as these are well."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.priority.claims import preferred_alone
from suites.priority.rules import preferred

Judge = Callable[[Verdict], None]


# https://github.com/istio/istio/issues/49500: a gateway has none of the labels of those behind it.
@behaviour("priority/preferred-label-first", feature="routing")
@pytest.mark.each_shape
def test_a_label_that_a_rule_prefers_comes_first(
    sample: Sample, caller: str, target: str, judge: Judge
) -> None:
    """With a failoverPriority for another cluster's version, every call goes to it."""
    with preferred(sample, "version", target):
        verdict = preferred_alone(sample, caller, target)
    judge(verdict)
