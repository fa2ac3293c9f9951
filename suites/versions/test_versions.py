"""Versions: a verdict on one Istio must not have been given on another."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.versions.claims import runs_the_envoy_of_the_record, runs_what_was_asked


@behaviour("versions/as-asked", feature="discovery")
def test_istiods_and_proxies_are_of_the_version_asked_for(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """istiods, sidecars and gateways say that they are of the version that the test's id names."""
    judge(runs_what_was_asked(sample))


@behaviour("versions/envoy-as-recorded", feature="discovery")
def test_proxies_run_the_envoy_that_the_record_names(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """Proxies say that they are the Envoy that the record names beside each Istio."""
    judge(runs_the_envoy_of_the_record(sample))
