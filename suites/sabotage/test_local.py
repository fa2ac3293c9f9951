"""Calls that do not stay at home, or do not go where they should, are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.runner.behaviours import proves
from meshproof.traffic.calls import HELLO
from meshproof.workloads.sample import HOST, Sample
from suites.local.claims import goes_where_named, known_at_home, stays_at_home

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@proves("local/by-mesh-configuration", "local/by-subset", "local/cluster-named")
def test_calls_that_leave_their_cluster_are_noticed(sample: Sample, judge: Judge) -> None:
    """With no rule that keeps them, the claims that calls stay in a cluster fail and name another's
    version."""
    here = sample.homes[0]
    other = next(one for one, home in sample.reached_from(here).items() if home != here)
    stray = f"{other} from {sample.versions[other]}"
    claims = [stays_at_home(sample, HELLO), goes_where_named(sample)]
    known = known_at_home(sample, HOST)
    way = min(map(str, sample.ways(here, sample.server(other))))
    judge(all_of([noticed(claims, stray), noticed([known], way)]))
