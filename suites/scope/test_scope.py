"""Scope: with one primary, only its cluster's configuration counts, for every cluster's callers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.expect.control import with_control
from meshproof.lab.objects import applied
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from suites.scope.claims import ignored, obeyed, rules_of


@pytest.mark.topology("primary-remote-flat", "primary-remote-split-horizon")
def test_only_the_primarys_configuration_counts(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """Rules applied in the remote change nothing for anyone; in the primary, calls everywhere."""
    topology = sample.mesh.deployment.topology
    primary, remote = topology.primaries[0].name, topology.remotes[0].name
    rules = rules_of(remote)
    with applied(sample.mesh.cluster(remote), rules):
        # The remote's rules are the older ones: if they counted, Istio would prefer them. And
        # when the primary's have come and gone, they have had their time.
        with in_force(sample, rules_of(primary)):
            control = obeyed(sample, primary)
        claim = ignored(sample, rules)
    judge(with_control(claim, control))
