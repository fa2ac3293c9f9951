"""Configuration that counts where it should not, or does not where it should, is noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.errors import EvidenceError
from meshproof.expect import Verdict, noticed
from meshproof.kube.objects import applied
from meshproof.runner.behaviours import proves
from meshproof.traffic.policies import enforced, of_policy
from meshproof.traffic.routing import ruled
from meshproof.workloads.sample import Sample
from suites.scope import policies
from suites.scope.claims import (
    each_governs_its_own,
    ignored,
    marks_of,
    obeyed,
    rules_of,
)

Judge = Callable[[Verdict], None]


@proves("scope/only-the-primarys-rules-count")
@pytest.mark.unread
def test_a_remotes_rules_that_count_are_noticed(sample: Sample, judge: Judge) -> None:
    """With the remote's rules in force, the claims that they are not, or others are, fail."""
    remote = sample.topology.unread_clusters[0]
    primary, rules = sample.topology.configured_by(remote), rules_of(sample, remote)
    with ruled(sample, rules):
        verdicts = [ignored(sample, rules), obeyed(sample, primary)]
    judge(noticed(verdicts, f"bear {remote}'s mark"))


@proves("scope/only-the-primarys-rules-count")
def test_a_primarys_rules_that_do_not_count_are_noticed(sample: Sample, judge: Judge) -> None:
    """With no rules in force, the claim that the primary's count fails."""
    primary = sample.topology.config_clusters[0]
    judge(noticed([obeyed(sample, primary)], "bear no cluster's mark"))


@proves("scope/each-primary-governs-its-own")
@pytest.mark.primaries(2)
def test_rules_that_reach_too_far_are_noticed(sample: Sample, judge: Judge) -> None:
    """With one primary's rules in the other as well, the claim that they stay at home fails."""
    primary = sample.mesh.deployment.topology.config_clusters[0]
    with ruled(sample, marks_of(primary)):
        verdict = each_governs_its_own(sample, {primary})
    judge(noticed([verdict], f"bear {primary}'s mark"))


@proves("scope/only-the-primarys-policies-count")
@pytest.mark.unread
def test_policies_that_do_not_count_are_noticed(sample: Sample, judge: Judge) -> None:
    """With policies in the remote alone, the claim that they count fails."""
    remote = sample.topology.unread_clusters[0]
    primary = sample.topology.configured_by(remote)
    cluster = sample.mesh.cluster(remote)
    with applied(cluster, [*policies.policies_of(remote), policies.rule_of(remote)]):
        verdict = policies.obeyed_by_their_own(sample, {primary}, (primary,))
    judge(noticed([verdict], "should say 403"))


@proves("scope/each-primary-governs-its-own-servers")
@pytest.mark.primaries(2)
def test_policies_that_reach_too_far_are_noticed(sample: Sample, judge: Judge) -> None:
    """With one primary's policies in another as well, the claim that they stay at home fails."""
    primary = sample.topology.config_clusters[0]
    everywhere = sample.topology.config_clusters
    refusing = policies.policies_of(primary)[0]
    with enforced(sample, [refusing], of_policy(refusing), everywhere) as missing:
        if missing:
            raise EvidenceError(f"nothing can be claimed: missing is {', '.join(missing)}")
        verdict = policies.obeyed_by_their_own(sample, {primary}, (primary,))
    judge(noticed([verdict], "should say 404"))
