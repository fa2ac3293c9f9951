"""Headless: where the names of single pods lead, from another cluster."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.headless.claims import found_by_name, nowhere_by_name
from suites.headless.sets import pairs

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@behaviour("headless/single-pods-on-one-network", feature="names")
@pytest.mark.networks(1)
def test_single_pods_are_found_by_name(ordered: Sample, judge: Judge) -> None:
    """On one network another cluster's single pods are found, and answer, by their names."""
    # https://github.com/istio/istio/issues/61038
    judge(all_of([found_by_name(ordered, *pair) for pair in pairs(ordered)]))


@behaviour("headless/no-single-pods-across-networks", feature="names")
@pytest.mark.networks(2)
def test_single_pods_of_another_network_have_no_names(ordered: Sample, judge: Judge) -> None:
    """Across networks names of single pods do not resolve: no gateway leads to one alone."""
    judge(all_of([nowhere_by_name(ordered, *pair) for pair in pairs(ordered)]))
