"""Routing: rules applied wherever configuration counts decide which version answers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.mesh.routes import Tls
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from suites.routing.claims import (
    all_answered_by,
    asked_for_by_name,
    first_and_last,
    shared_by_weight,
    told_apart_by_header,
)
from suites.routing.rules import by_header, by_weight

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.several_versions


@behaviour("routing/one-version", feature="routing")
def test_all_calls_go_to_the_version_that_a_rule_names(sample: Sample, judge: Judge) -> None:
    """With a VirtualService for one version, every call from every cluster is answered by it."""
    judge(_each(sample, Tls.ISTIO_MUTUAL, all_answered_by))


@behaviour("routing/one-version-without-mtls", feature="routing")
@pytest.mark.networks(1)
@pytest.mark.mtls("disabled")
def test_without_mtls_all_calls_go_to_the_version_that_a_rule_names(
    sample: Sample, judge: Judge
) -> None:
    """Without mTLS, too, a VirtualService for one version has every call answered by it."""
    judge(_each(sample, None, all_answered_by))


@behaviour("routing/subset-asked-for-by-name", feature="routing")
def test_a_subset_is_asked_for_by_its_name(sample: Sample, judge: Judge) -> None:
    """A call to a subset carries the subset's name as SNI to the pod, across clusters too."""
    judge(_each(sample, Tls.ISTIO_MUTUAL, asked_for_by_name))


@behaviour("routing/shared-by-weight", feature="routing")
def test_calls_are_shared_by_weight(sample: Sample, judge: Judge) -> None:
    """With weights of 80 and 20, a version answers 80 % of each cluster's calls, another the
    rest."""
    most, rest = first_and_last(sample)
    with in_force(sample, by_weight({most: 80, rest: 20})):
        judge(shared_by_weight(sample, {most: 0.8, rest: 0.2}))


@behaviour("routing/weight-of-zero-gets-nothing", feature="routing", level="extended")
@pytest.mark.each_shape
def test_a_version_that_weighs_nothing_gets_nothing(sample: Sample, judge: Judge) -> None:
    """A version whose weight is 0 gets no call, whichever of two it is."""
    verdicts = []
    # As small as weights can be, so that any that is no 0 shows at once.
    for version, other in permutations(first_and_last(sample)):
        with in_force(sample, by_weight({version: 1, other: 0})):
            verdicts.append(all_answered_by(sample, version))
    judge(all_of(verdicts))


@pytest.mark.each_topology
@behaviour("routing/header-decides", feature="routing")
def test_a_header_decides_which_version_answers(sample: Sample, judge: Judge) -> None:
    """Calls with a header go to one version alone, and without it (or with another value) to
    another."""
    otherwise, version = first_and_last(sample)
    with in_force(sample, by_header(version, otherwise)):
        judge(told_apart_by_header(sample, version, otherwise))


def _each(sample: Sample, tls: Tls | None, claim: Callable[[Sample, str], Verdict]) -> Verdict:
    """The claim of each version but the first, with a rule for it alone."""
    verdicts = []
    for version in sample.common[1:]:
        with in_force(sample, by_weight({version: 100}, tls)):
            verdicts.append(claim(sample, version))
    return all_of(verdicts)
