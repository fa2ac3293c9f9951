"""A gateway's host name that nobody can resolve is noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.gateways.hostnames import names_are_resolved
from suites.sabotage.announced import announced, ways_known

_NOBODY = "nobody.lb.example"


@proves("gateways/host-names-are-resolved")
@pytest.mark.host_names
def test_a_host_name_that_does_not_resolve_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a gateway's host name that stands for nothing, the claim that names are resolved fails,
    and tells by which way the caller's proxy goes instead."""
    caller, target = sample.topology.named_ways[0]
    ways = set(map(str, sample.mesh.ways_to(sample.versions[target]).values()))
    before = ways_known(sample, caller)
    nowhere = {"hostname": _NOBODY}
    with announced(sample, caller, target, nowhere, until=lambda seen: not ways <= seen):
        # Where istiod knows no gateway of a network, it tells the pods' own addresses.
        instead = ways_known(sample, caller) - before
        verdict = names_are_resolved(sample)
    judge(noticed([verdict], min(instead, default="nothing")))
