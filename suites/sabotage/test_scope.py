"""Configuration that counts where it should not, or does not where it should, is noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from suites.scope.claims import ignored, obeyed, rules_of

pytestmark = pytest.mark.topology("primary-remote-flat", "primary-remote-split-horizon")
Judge = Callable[[Verdict], None]


def test_a_remotes_rules_that_count_are_noticed(sample: Sample, judge: Judge) -> None:
    """With the remote's rules in force, the claims that they are not, or others are, fail."""
    remote = sample.mesh.deployment.topology.remotes[0].name
    primary = sample.mesh.deployment.topology.primaries[0].name
    rules = rules_of(remote)
    with in_force(sample, rules):
        verdicts = [ignored(sample, rules), obeyed(sample, primary)]
    judge(noticed(verdicts, f"bear {remote}'s mark"))


def test_a_primarys_rules_that_do_not_count_are_noticed(sample: Sample, judge: Judge) -> None:
    """With no rules in force, the claim that the primary's count fails."""
    primary = sample.mesh.deployment.topology.primaries[0].name
    judge(noticed([obeyed(sample, primary)], "bear no cluster's mark"))
