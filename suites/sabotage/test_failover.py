"""Calls that are shared out otherwise than a rule says are noticed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_over import over, ways_now
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import scaled
from suites.failover.distribution import CALLS, distributed, shared_out
from suites.failover.thin import THIN, Path, goes_on_over
from suites.failover.zones import near_rule, nearest_first, over_the_zones
from suites.sabotage.shown import require_arrived

Judge = Callable[[Verdict], None]
_A_WHILE = 15.0


@pytest.mark.several_versions
@proves("failover/shared-out-by-locality")
def test_regions_that_get_as_much_are_noticed(sample: Sample, judge: Judge) -> None:
    """With a rule that gives two regions as much each, the claim that one gets four times as much
    fails and tells the shares."""
    with distributed(sample, (50, 50)):
        require_arrived(sample)
        verdict = shared_out(sample)
    judge(noticed([verdict], f"of {CALLS} calls"))


@pytest.mark.several_versions
@proves("failover/zone-then-region")
def test_calls_that_prefer_no_zone_are_noticed(sample: Sample, judge: Judge) -> None:
    """With a rule that ejects nobody, so that no instance has priority, the claim that the nearest
    alone answers fails and names others."""
    stages = over_the_zones(sample, near_rule(ejecting=False))
    judge(noticed([nearest_first(stages)], "answered as well"))


@pytest.mark.several_versions
@requires(Capability.NODES)
@proves("failover/over-a-thin-path")
def test_a_path_that_nobody_takes_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a path whose gateway, or pods, no caller has meanwhile, the claim that it is not left
    out fails and tells the shares."""
    caller = next(one for one in sample.homes if len(sample.reached_from(one)) > 1)
    home = next(one for one in sample.reached_from(caller).values() if one != caller)
    ways: set[str] = set()

    def doing(stream: Stream, stack: ExitStack) -> None:
        known = ways_now(sample)[caller]
        ways.update(*(known[version] for version in sample.versions_in(home)))
        stream.flow_for(_A_WHILE)
        # With a mark: connections that are kept end with their server, and their calls are lost.
        with stream.mark(f"the instances in {home} end"):
            for version in sample.versions_in(home):
                stack.enter_context(scaled(sample, version, 0))
        with stream.mark(THIN):
            stream.flow_for(_A_WHILE)

    history = over(sample, doing, callers=[caller]).history
    judge(noticed([goes_on_over(history, Path(caller, home, ways))], " 0% of"))
