"""Scope: which cluster's configuration counts, and for whose callers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.control import with_control
from meshproof.kube.objects import applied
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from suites.scope.claims import (
    each_governs_its_own,
    ignored,
    marks_of,
    obeyed,
    rules_of,
)


@behaviour("scope/only-the-primarys-rules-count", feature="configuration")
@pytest.mark.unread
def test_only_the_primarys_configuration_counts(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """Rules in a cluster that istiod does not read change nothing; where it reads, all calls."""
    verdicts = []
    for remote in sample.topology.unread_clusters:
        primary, rules = sample.topology.configured_by(remote), rules_of(sample, remote)
        with applied(sample.mesh.cluster(remote), rules):
            # The remote's rules are the older ones: if they counted, Istio would prefer them. And
            # when the primary's have come and gone, they have had their time.
            with in_force(sample, rules_of(sample, primary), [primary]):
                control = obeyed(sample, primary)
            claim = ignored(sample, rules)
        verdicts.append(with_control(claim, control))
    judge(all_of(verdicts))


@behaviour("scope/each-primary-governs-its-own", feature="configuration")
@pytest.mark.primaries(2)
def test_each_primary_governs_its_own_callers(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """Rules applied in one primary change calls from its own cluster, and from no other."""
    verdicts = []
    for primary, other in permutations(sample.topology.config_clusters, 2):
        with in_force(sample, marks_of(primary), [primary]):
            # The older rule would win where it does not belong. And when the other's has come
            # and gone, this one has had its time to go too far.
            with in_force(sample, marks_of(other), [other]):
                verdicts.append(each_governs_its_own(sample, {primary, other}))
            verdicts.append(each_governs_its_own(sample, {primary}))
    judge(all_of(verdicts))
