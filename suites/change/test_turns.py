"""The mTLS mode of a mesh, turned under load."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.expect import Verdict, all_of
from meshproof.expect.undisturbed import unnoticed_but_for_drains
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.change.claims import kept_encrypted, outsiders_met_the_mode
from suites.change.modes import over_turns

Judge = Callable[[Verdict], None]
pytestmark = requires(Capability.NODES)


# Who promises it: permissive between other modes is among what "help[s] avoid disruption",
# https://istio.io/latest/docs/concepts/security/#updating-authentication-policies, and who is let
# in in which mode: https://istio.io/latest/docs/reference/config/security/peer_authentication/. Of
# requests that meet the end of a drain nobody promises anything (``meshproof.expect.cut``).
@behaviour("change/mtls-turned", feature="change", level="extended")
def test_turning_the_mtls_mode_costs_nothing(sample: Sample, judge: Judge) -> None:
    """A strict mesh that turns permissive, and strict again, costs no call between sidecars but to
    the end of a drain, and all of them stay encrypted; callers without a sidecar are answered while
    it is permissive, and turned away before and after."""
    found, stages = over_turns(sample)
    outside = outsiders_met_the_mode(stages)
    kept = unnoticed_but_for_drains(found, found.history.stretches)
    judge(all_of([kept, kept_encrypted(found.history), outside]))
