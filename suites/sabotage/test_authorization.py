"""Policies that are not in force are noticed: whom they leave alone is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.errors import EvidenceError
from meshproof.expect import Verdict, noticed
from meshproof.mesh.configuration import configured
from meshproof.runner.behaviours import proves
from meshproof.traffic.policies import enforced, of_policy
from meshproof.workloads.sample import OUTSIDE, SLEEP, Sample
from suites.authorization.claims import (
    denied_though_allowed,
    one_path_is_closed_mesh_wide,
    the_namespace_alone_is_answered,
)
from suites.authorization.policies import allowing_sleep, closing_a_path_mesh_wide

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@proves("authorization/by-namespace")
def test_another_namespace_that_is_answered_is_noticed(sample: Sample, judge: Judge) -> None:
    """With no policy, the claim that one namespace alone is answered fails and names another's
    account."""
    judge(noticed([the_namespace_alone_is_answered(sample)], f"ns/{OUTSIDE}/sa/{SLEEP}"))


@proves("authorization/deny-before-allow")
def test_who_is_allowed_after_all_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a policy that allows sleep, and none that denies it, the claim that it is denied
    fails."""
    policy = allowing_sleep(sample)
    with enforced(sample, [policy], of_policy(policy)) as missing:
        if missing:
            raise EvidenceError(f"nothing can be claimed: missing is {', '.join(missing)}")
        verdict = denied_though_allowed(sample)
    judge(noticed([verdict], "200"))


@proves("authorization/mesh-wide")
def test_a_policy_of_another_namespace_is_noticed(sample: Sample, judge: Judge) -> None:
    """With the policy in a namespace that is not the root's, the claim that it governs fails."""
    policy = closing_a_path_mesh_wide()
    policy["metadata"]["namespace"] = OUTSIDE
    with configured(sample.mesh, [policy]):
        verdict = one_path_is_closed_mesh_wide(sample)
    judge(noticed([verdict], "404"))
