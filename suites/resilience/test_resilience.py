"""Resilience: retries, timeouts and ejection across clusters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.expect.control import with_control
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from suites.resilience.absent import absent, forbidding_retries, tried_again, tried_once
from suites.resilience.claims import ejected, ends_in_time, retried_elsewhere, told_at_once
from suites.resilience.rules import ejecting, impatient, retrying

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@behaviour("resilience/error-told-at-once", feature="routing")
def test_an_error_is_told_at_once(fallible: Sample, judge: Judge) -> None:
    """Without a rule for retries a server's error is told at once: a call is sent once."""
    judge(told_at_once(fallible, fallible.common[-1]))


@behaviour("resilience/retried-in-the-other-cluster", feature="routing")
def test_a_failed_call_is_retried_in_the_other_cluster(fallible: Sample, judge: Judge) -> None:
    """With a rule for retries calls that a version fails are sent again, to another, elsewhere."""
    with in_force(fallible, retrying()):
        judge(retried_elsewhere(fallible, fallible.common[-1]))


@behaviour("resilience/timeout-ends-calls", feature="routing", level="extended")
def test_a_timeout_ends_calls(fallible: Sample, judge: Judge) -> None:
    """With a timeout calls to a version that answers too late, here or elsewhere, end in time."""
    version = fallible.common[-1]
    with in_force(fallible, impatient(version)):
        judge(ends_in_time(fallible, version))


@behaviour("resilience/failing-version-ejected", feature="routing", level="extended")
def test_a_version_that_fails_is_ejected(fallible: Sample, judge: Judge) -> None:
    """With outlier detection nobody calls a version that has failed several times in a row."""
    with ejecting(fallible):
        judge(ejected(fallible, fallible.common[-1]))


@behaviour("resilience/no-retries-when-forbidden", feature="routing", level="extended")
def test_what_may_not_be_tried_again_is_tried_once(sample: Sample, judge: Judge) -> None:
    """With a rule that forbids retries a call whose connection fails is tried once."""
    with absent(sample):
        control = tried_again(sample)
        with in_force(sample, forbidding_retries()):
            claim = tried_once(sample)
    judge(with_control(claim, control))
