"""Scope of policies: which cluster's count, and for whose servers and callers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.kube.objects import applied
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.scope.policies import (
    obeyed_by_their_own,
    policies_in_force,
    policies_of,
    rule_of,
    without_them,
)

Judge = Callable[[Verdict], None]


@behaviour("scope/only-the-primarys-policies-count", feature="configuration")
@pytest.mark.unread
def test_only_the_primarys_policies_count(sample: Sample, judge: Judge) -> None:
    """Policies in a cluster that istiod does not read govern nobody; where it reads, everybody."""
    verdicts = []
    for remote in sample.topology.unread_clusters:
        primary = sample.topology.configured_by(remote)
        # The remote's are the older ones, and have had their time when the primary's have come.
        with (
            applied(sample.mesh.cluster(remote), [*policies_of(remote), rule_of(remote)]),
            policies_in_force(sample, primary),
        ):
            verdicts.append(obeyed_by_their_own(sample, {primary}, (primary, remote)))
    judge(all_of([*verdicts, without_them(sample)]))


@behaviour("scope/each-primary-governs-its-own-servers", feature="configuration")
@pytest.mark.primaries(2)
def test_each_primary_governs_its_own_servers(sample: Sample, judge: Judge) -> None:
    """Policies applied in one primary are obeyed by its own servers and callers, by no others."""
    verdicts = []
    for primary in sample.topology.config_clusters:
        with policies_in_force(sample, primary):
            verdicts.append(obeyed_by_their_own(sample, {primary}, (primary,)))
    judge(all_of(verdicts))
