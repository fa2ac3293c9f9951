"""Routing: rules applied wherever configuration counts decide which version answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from suites.routing.claims import (
    all_answered_by,
    asked_for_by_name,
    shared_by_weight,
    told_apart_by_header,
)
from suites.routing.rules import by_header, by_weight

Judge = Callable[[Verdict], None]


@behaviour("routing/one-version", feature="routing")
def test_all_calls_go_to_the_version_that_a_rule_names(sample: Sample, judge: Judge) -> None:
    """With a VirtualService for v2 alone, every call from every cluster is answered by v2."""
    with in_force(sample, by_weight({"v2": 100})):
        judge(all_answered_by(sample, "v2"))


@behaviour("routing/one-version-without-mtls", feature="routing")
@pytest.mark.networks(1)
@pytest.mark.mtls("disabled")
def test_without_mtls_all_calls_go_to_the_version_that_a_rule_names(
    sample: Sample, judge: Judge
) -> None:
    """Without mTLS, too, a VirtualService for v2 alone has every call answered by v2."""
    with in_force(sample, by_weight({"v2": 100}, None)):
        judge(all_answered_by(sample, "v2"))


@behaviour("routing/subset-asked-for-by-name", feature="routing")
def test_a_subset_is_asked_for_by_its_name(sample: Sample, judge: Judge) -> None:
    """A call to a subset carries the subset's name as SNI to the pod, across clusters too."""
    with in_force(sample, by_weight({"v2": 100})):
        judge(asked_for_by_name(sample, "v2"))


@behaviour("routing/shared-by-weight", feature="routing")
def test_calls_are_shared_by_weight(sample: Sample, judge: Judge) -> None:
    """With weights of 80 and 20, v1 answers 80 % of the calls from each cluster, v2 the rest."""
    with in_force(sample, by_weight({"v1": 80, "v2": 20})):
        judge(shared_by_weight(sample, "v1", 0.8))


@behaviour("routing/header-decides", feature="routing")
def test_a_header_decides_which_version_answers(sample: Sample, judge: Judge) -> None:
    """Calls with a header go to v2 alone, and without it (or with another value) to v1 alone."""
    with in_force(sample, by_header("v2", otherwise="v1")):
        judge(told_apart_by_header(sample, "v2", otherwise="v1"))
