"""Entries: instances that WorkloadEntries announce are on the network of their cluster."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.entries.machines import announced, announcing
from suites.entries.machines_claims import announced_where_they_are

Judge = Callable[[Verdict], None]


# https://github.com/istio/istio/issues/53359: in istiod's own cluster they are on no network.
@behaviour("entries/announced-on-their-network", feature="multi-network")
@pytest.mark.several_versions
@pytest.mark.topology(
    "primary-remote-split-horizon",
    "multi-primary-split-horizon",
    "hybrid",
    reason="one topology across networks, with remotes and without, stands for the others",
)
def test_announced_instances_are_on_the_network_of_their_cluster(
    sample: Sample, judge: Judge
) -> None:
    """An instance that a WorkloadEntry announces without a network is on that of its cluster:
    callers on another network reach it through its gateway."""
    pods = announced(sample)
    with announcing(sample, pods):
        verdict = all_of(announced_where_they_are(sample, name, pods) for name in sample.clusters)
    judge(verdict)
