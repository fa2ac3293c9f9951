"""Selectors: namespaces that none of them selects are not of the mesh, cluster by cluster."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.selectors.aside import passed_over, selecting
from suites.selectors.claims import known_where_selected

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@behaviour("selectors/unselected-known-to-nobody", feature="discovery")
def test_what_is_not_selected_is_known_to_nobody(extended: Sample, judge: Judge) -> None:
    """Nobody knows of services in a namespace that no discovery selector selects, in whichever
    cluster; once it is selected everybody does, without a restart."""
    with selecting(extended):
        with passed_over(extended, extended.homes):
            verdict = known_where_selected(extended, extended.homes)
        judge(all_of([verdict, known_where_selected(extended, ())]))


@behaviour("selectors/by-each-clusters-own-labels", feature="discovery", level="extended")
@pytest.mark.several_versions
def test_each_cluster_selects_by_its_own_labels(extended: Sample, judge: Judge) -> None:
    """A namespace that is not selected in one cluster is known in all others, and in that one of
    them alone."""
    with selecting(extended):
        verdicts = [_passed_over_in(extended, name) for name in extended.homes]
    judge(all_of(verdicts))


def _passed_over_in(sample: Sample, cluster: str) -> Verdict:
    with passed_over(sample, [cluster]):
        return known_where_selected(sample, [cluster])
