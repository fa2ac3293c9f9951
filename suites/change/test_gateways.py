"""Gateways of a network under load: another address, and a second one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.undisturbed import recovered, unnoticed
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.change.claims import was_taken
from suites.change.gateways import FOLLOWS_WITHIN, over_a_move, over_a_second_one

Judge = Callable[[Verdict], None]
pytestmark = [
    pytest.mark.networks(2),
    pytest.mark.several_versions,
    requires(Capability.NODES, Capability.ASSIGNED_ADDRESSES),
]


# The way of https://github.com/istio/istio/issues/30054. What is lost until callers know is told:
# nobody promises anything of an address that is gone at once.
@behaviour("change/gateway-address", feature="change", level="extended")
def test_callers_follow_a_gateway_to_its_new_address(sample: Sample, judge: Judge) -> None:
    """Callers follow a gateway to another address within half a minute, and nobody restarts
    anything."""
    judge(recovered(over_a_move(sample), FOLLOWS_WITHIN))


@behaviour("change/second-gateway", feature="change", level="extended")
def test_a_second_gateway_comes_and_goes(sample: Sample, judge: Judge) -> None:
    """A second gateway of a network is used once it is there, and costs no call when it comes, nor
    when it goes after it was taken out of service."""
    found, way = over_a_second_one(sample)
    judge(all_of([unnoticed(found), was_taken(found.history, way)]))
