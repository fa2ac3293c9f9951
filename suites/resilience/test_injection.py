"""Injection: errors and latency for the calls to one version alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from suites.resilience.injection import aborted_alone, delayed_alone
from suites.resilience.rules import aborting, delaying

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@behaviour("resilience/errors-for-one-version", feature="routing")
def test_errors_are_injected_for_one_version(sample: Sample, judge: Judge) -> None:
    """Errors injected into calls for one version leave those for others alone."""
    version = sample.common[-1]
    with in_force(sample, aborting(sample.common, [version])):
        judge(aborted_alone(sample, version))


@behaviour("resilience/latency-for-one-version", feature="routing")
def test_latency_is_injected_for_one_version(sample: Sample, judge: Judge) -> None:
    """Latency injected into calls for one version leaves those for others alone."""
    version = sample.common[-1]
    with in_force(sample, delaying(sample.common, [version])):
        judge(delayed_alone(sample, version))
