"""A cluster leaves a mesh under load, and joins it again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.change.claims import left_and_joined
from suites.change.clusters import over_an_absence

Judge = Callable[[Verdict], None]
pytestmark = [
    pytest.mark.remote_secrets,
    pytest.mark.several_versions,
    requires(Capability.NODES),
]


# Who promises it: endpoints go with their cluster's secret, https://github.com/istio/istio/issues/
# 27187, and come back with it; for how long they are missing nobody promises anything, and it is
# told (https://github.com/istio/istio/issues/36365).
@behaviour("change/cluster-left-and-joined", feature="change", level="extended")
def test_a_cluster_leaves_the_mesh_and_joins_it_again(sample: Sample, judge: Judge) -> None:
    """A cluster whose remote secrets are removed, on both sides, leaves the mesh without a lost
    call; joined again it is called within a minute, and a minute later nothing of it is missing,
    neither what was there before nor what came up since."""
    judge(left_and_joined(*over_an_absence(sample)))
