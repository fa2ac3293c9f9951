"""``meshNetworks``, edited under load."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.undisturbed import unnoticed
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.change.claims import followed
from suites.change.networks import over_an_edit

Judge = Callable[[Verdict], None]
pytestmark = [
    pytest.mark.networks(2),
    pytest.mark.several_versions,
    pytest.mark.only_variant("mesh-networks"),
    requires(Capability.NODES, Capability.ASSIGNED_ADDRESSES),
]


# Who promises it: "Once saved, Pilot will automatically read the updated network configuration",
# https://istio.io/v1.1/docs/examples/multicluster/split-horizon-eds/.
@behaviour("change/mesh-networks-edited", feature="change", level="extended")
def test_mesh_networks_that_are_edited_are_followed(sample: Sample, judge: Judge) -> None:
    """Another address of a gateway that meshNetworks are edited to say is used by all callers
    within half a minute, and so is its own once they say that again; nobody restarts anything, and
    no call is lost."""
    found, other, own = over_an_edit(sample)
    judge(all_of([unnoticed(found), followed(found.history, other, own)]))
