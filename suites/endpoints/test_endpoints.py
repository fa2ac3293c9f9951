"""Endpoints: what a caller's proxy is told of each beside its address."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.endpoints.claims import endpoints_tell_their_cluster
from suites.endpoints.localities import endpoints_tell_their_locality

Judge = Callable[[Verdict], None]


@behaviour("endpoints/tell-their-cluster", feature="discovery", level="extended")
def test_endpoints_tell_their_cluster(sample: Sample, caller: str, judge: Judge) -> None:
    """Each endpoint's metadata names the cluster that its pod, or its gateway, is in."""
    judge(endpoints_tell_their_cluster(sample, caller))


@behaviour("endpoints/tell-their-locality", feature="discovery")
@pytest.mark.regions
def test_endpoints_tell_their_locality(sample: Sample, caller: str, judge: Judge) -> None:
    """Each instance is known in the region and the zone of its node, by istiod and by proxies."""
    judge(endpoints_tell_their_locality(sample, caller))
