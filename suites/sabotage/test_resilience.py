"""Retries that nobody asked for, or that do not come, timeouts and ejection that do not come, and
faults that reach too far, are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.faults.servers import faulty
from meshproof.runner.behaviours import proves
from meshproof.traffic.routing import ruled
from meshproof.workloads.sample import Sample
from suites.resilience.absent import absent, forbidding_retries, tried_once
from suites.resilience.claims import ejected, ends_in_time, retried_elsewhere, told_at_once
from suites.resilience.injection import aborted_alone, delayed_alone
from suites.resilience.rules import aborting, delaying, impatient, retrying

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@proves("resilience/error-told-at-once", "resilience/retried-in-the-other-cluster")
def test_hidden_retries_are_noticed(sample: Sample, judge: Judge) -> None:
    """With retries in force, the claims that there are none, or fewer, fail and tell of them."""
    version = sample.common[-1]
    with faulty(sample), ruled(sample, retrying()):
        verdicts = [told_at_once(sample, version), retried_elsewhere(sample, version, attempts=1)]
    judge(noticed(verdicts, "a hidden retry"))


@proves(
    "resilience/retried-in-the-other-cluster",
    "resilience/failing-version-ejected",
    "resilience/timeout-ends-calls",
)
def test_rules_that_do_not_come_are_noticed(sample: Sample, judge: Judge) -> None:
    """With no rule for them, the claims of retries and ejection fail, and with a slow version that
    nobody gives a time the claim of a timeout does."""
    version = sample.common[-1]
    route, patient = impatient(version)
    del patient["spec"]["http"][0]["timeout"]
    with faulty(sample):
        again, out = retried_elsewhere(sample, version), ejected(sample, version)
        with ruled(sample, [route, patient]):
            late = ends_in_time(sample, version)
    told = [noticed([again], "503"), noticed([out], f"{version} from {sample.versions[version]}")]
    judge(all_of([*told, noticed([late], f"200 by {version}")]))


@proves("resilience/no-retries-when-forbidden")
def test_retries_that_are_not_forbidden_are_noticed(sample: Sample, judge: Judge) -> None:
    """With a rule for one retry, the claim that calls are tried once fails and tells of them."""
    with absent(sample), ruled(sample, forbidding_retries(attempts=1)):
        verdict = tried_once(sample)
    judge(noticed([verdict], "was sent upstream 2 times: a hidden retry"))


@proves("resilience/errors-for-one-version", "resilience/latency-for-one-version")
def test_faults_that_reach_too_far_are_noticed(sample: Sample, judge: Judge) -> None:
    """With faults for all versions, the claims that they are for one alone fail, and name
    another."""
    versions = sample.common
    first, last = versions[0], versions[-1]
    with ruled(sample, aborting(versions, versions)):
        errors = aborted_alone(sample, last)
    with ruled(sample, delaying(versions, versions)):
        latency = delayed_alone(sample, last)
    judge(all_of([noticed([errors], "4 x 418 [FI]"), noticed([latency], f"4 for {first} were")]))


@proves("resilience/errors-for-one-version", "resilience/latency-for-one-version")
def test_faults_that_do_not_come_are_noticed(sample: Sample, judge: Judge) -> None:
    """With no fault for it, the claims that calls for a version meet one fail, and name it."""
    versions, last = sample.common, sample.common[-1]
    with ruled(sample, delaying(versions, [])):
        verdicts = [aborted_alone(sample, last), delayed_alone(sample, last)]
    judge(noticed(verdicts, f"200 by {last}"))
