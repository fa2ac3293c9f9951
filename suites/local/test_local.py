"""Local: calls that stay in their caller's cluster, or go to one that is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.mesh.operator_config import AT_HOME
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.calls import HELLO
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from suites.local.claims import (
    goes_where_named,
    known_at_home,
    others_would_answer,
    stays_at_home,
)
from suites.local.rules import URL, at_home, by_cluster

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@behaviour("local/by-mesh-configuration", feature="discovery")
def test_a_cluster_local_service_stays_at_home(sample: Sample, judge: Judge) -> None:
    """Calls to a service that the mesh's configuration has cluster-local stay at home."""
    with at_home(sample):
        judge(all_of([known_at_home(sample, AT_HOME), stays_at_home(sample, URL)]))


@behaviour("local/by-subset", feature="routing")
def test_calls_stay_at_home_by_their_clusters_subset(sample: Sample, judge: Judge) -> None:
    """Routes by the caller's cluster to its subset have calls answered at home alone."""
    control = others_would_answer(sample)
    with in_force(sample, by_cluster(sample)):
        judge(all_of([stays_at_home(sample, HELLO), control]))


@behaviour("local/cluster-named", feature="routing")
def test_calls_go_to_the_cluster_that_they_name(sample: Sample, judge: Judge) -> None:
    """Routes to a cluster's subset have calls from everywhere answered there alone."""
    with in_force(sample, by_cluster(sample)):
        judge(goes_where_named(sample))
