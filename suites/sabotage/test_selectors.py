"""Namespaces that the mesh knows though no selector selects them are noticed, and the reverse."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.selectors.aside import aside, due, passed_over, selecting
from suites.selectors.claims import known_where_selected

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@proves("selectors/unselected-known-to-nobody", "selectors/by-each-clusters-own-labels")
def test_selectors_that_are_not_there_are_noticed(sample: Sample, judge: Judge) -> None:
    """With no selectors, the claims that a namespace is passed over fail and name an instance."""
    here = sample.homes[0]
    with aside(sample):
        way = min(map(str, due(sample, here, ())))
        claims = [known_where_selected(sample, one) for one in (sample.homes, sample.homes[:1])]
    judge(noticed(claims, way))


@proves("selectors/unselected-known-to-nobody")
def test_a_namespace_that_stays_unselected_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a namespace that is still passed over, the claim that it is known again fails."""
    with aside(sample), selecting(sample), passed_over(sample, sample.homes):
        verdict = known_where_selected(sample, ())
    judge(noticed([verdict], "it knows nobody"))
