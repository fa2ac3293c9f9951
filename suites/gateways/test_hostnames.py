"""Gateways by host name: what a cloud's load balancer announces is resolved by istiod."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.gateways.hostnames import names_are_resolved


@behaviour("gateways/host-names-are-resolved", feature="multi-network")
@pytest.mark.host_names
def test_gateways_are_reached_at_what_their_host_names_stand_for(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """A gateway that is announced by a host name is reached at the address that the name stands
    for in the DNS of the caller's istiod."""
    judge(names_are_resolved(sample))
