"""Authorities and roots of trust, replaced under load."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.undisturbed import unnoticed
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.change.authorities import over_a_rotation, over_new_intermediates
from suites.change.trust import came_into_force, issued_as_due, ran_on

Judge = Callable[[Verdict], None]
pytestmark = requires(Capability.NODES)


# Who promises it: https://github.com/istio/istio/pull/31522 ("notice cacerts changes"). What broke
# it: https://github.com/istio/istio/pull/57271.
@behaviour("change/intermediate-rotated", feature="change", level="extended")
def test_another_authority_below_the_root_costs_nothing(sample: Sample, judge: Judge) -> None:
    """Another authority below the same root that every control plane is given costs no call, and
    signs for what comes up then, which is called as any other; nobody restarts istiod."""
    found, issued, ended = over_new_intermediates(sample)
    judge(all_of([unnoticed(found), issued_as_due(issued), ran_on(ended)]))


# Who promises it: https://github.com/istio/istio/pull/47063 ("Support plugged root cert rotation"),
# with ISTIO_MULTIROOT_MESH and PROXY_CONFIG_XDS_AGENT.
@pytest.mark.only_variant("several-roots")
@pytest.mark.each_shape
@behaviour("change/root-rotated", feature="change", level="extended")
def test_another_root_costs_nothing_while_both_are_trusted(sample: Sample, judge: Judge) -> None:
    """Another root that is trusted beside the old one first, signs then, and is trusted alone in
    the end costs no call; every sidecar follows each time, and nobody restarts anything."""
    found, begun, ended = over_a_rotation(sample)
    judge(all_of([unnoticed(found), came_into_force(begun), ran_on(ended)]))
