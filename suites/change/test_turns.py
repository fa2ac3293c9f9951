"""The mTLS mode of a mesh, turned under load."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.expect import Verdict, all_of
from meshproof.expect.undisturbed import unnoticed
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.change.claims import kept_encrypted, outsiders_met_the_mode
from suites.change.modes import over_turns

Judge = Callable[[Verdict], None]
pytestmark = requires(Capability.NODES)


# Who promises it: "without breaking live traffic",
# https://istio.io/v1.8/docs/tasks/security/authentication/mtls-migration/, and who is let in in
# which mode: https://istio.io/latest/docs/reference/config/security/peer_authentication/.
@behaviour("change/mtls-turned", feature="change", level="extended")
def test_turning_the_mtls_mode_costs_nothing(sample: Sample, judge: Judge) -> None:
    """A strict mesh that turns permissive, and strict again, costs no call between sidecars, all of
    which stay encrypted; callers without a sidecar are answered while it is permissive, and turned
    away before and after."""
    found, stages = over_turns(sample)
    outside = outsiders_met_the_mode(stages)
    judge(all_of([unnoticed(found), kept_encrypted(found.history), outside]))
