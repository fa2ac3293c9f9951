"""MCS: who answers by a service's name in the cluster set, and who by its name in its cluster."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.mcs.claims import cluster_name_stays, exporters_answer
from suites.mcs.clusterset import exported

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@behaviour("mcs/exporters-answer-by-clusterset-name", feature="names", level="extended")
def test_exporters_answer_by_the_cluster_sets_name(importing: Sample, judge: Judge) -> None:
    """By its clusterset.local name a service that every cluster exports is answered by all."""
    with exported(importing, importing.homes):
        judge(all_of(exporters_answer(importing, one, importing.homes) for one in importing.homes))


@behaviour("mcs/cluster-name-stays-at-home", feature="names", level="extended")
def test_the_clusters_name_stays_at_home(importing: Sample, judge: Judge) -> None:
    """By its cluster.local name a service is answered in the caller's cluster, exported or not."""
    with exported(importing, importing.homes):
        judge(all_of(cluster_name_stays(importing, one) for one in importing.homes))


# https://github.com/istio/istio/issues/34051 left this out of Istio's own tests.
@behaviour("mcs/unexported-stays-at-home", feature="names", level="extended")
def test_what_is_not_exported_stays_at_home(importing: Sample, judge: Judge) -> None:
    """By its clusterset.local name a service is answered by no cluster that does not export it,
    but the caller's own."""
    exporter = importing.homes[:1]
    with exported(importing, exporter):
        judge(all_of(exporters_answer(importing, one, exporter) for one in importing.homes))
