"""Endpoints: what a caller's proxy is told of each beside its address."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.endpoints.claims import endpoints_tell_their_cluster

Judge = Callable[[Verdict], None]


@behaviour("endpoints/tell-their-cluster", feature="discovery", level="extended")
def test_endpoints_tell_their_cluster(sample: Sample, caller: str, judge: Judge) -> None:
    """Each endpoint's metadata names the cluster that its pod, or its gateway, is in."""
    judge(endpoints_tell_their_cluster(sample, caller))
