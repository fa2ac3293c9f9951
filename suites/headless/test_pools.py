"""Headless: pods that have one of a Service's ports each have names all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.headless.pool_claims import pools_found_by_name
from suites.headless.pools import pooled_pods
from suites.headless.sets import pairs

Judge = Callable[[Verdict], None]


# https://github.com/istio/istio/issues/61038: names are made of the first port's pods alone.
@behaviour("headless/pods-of-every-port", feature="names")
@pytest.mark.each_shape
@pytest.mark.networks(1)
def test_pods_have_names_whichever_port_they_have(sample: Sample, judge: Judge) -> None:
    """On one network another cluster's single pods have names, whichever of the ports of their
    headless Service each has."""
    with pooled_pods(sample):
        verdict = all_of(pools_found_by_name(sample, *pair) for pair in pairs(sample))
    judge(verdict)
