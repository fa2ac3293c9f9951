"""Authorization: namespaces as sources, policies that deny and that allow, and the whole mesh's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.expect.control import with_control
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.policies import enforced, of_policy
from meshproof.workloads.sample import Sample
from suites.authorization.claims import (
    denied_though_allowed,
    one_path_is_closed_mesh_wide,
    sleep_is_answered,
    the_namespace_alone_is_answered,
)
from suites.authorization.policies import (
    allowing_sleep,
    allowing_the_namespace,
    closing_a_path_mesh_wide,
    denying_sleep,
)

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@behaviour("authorization/by-namespace", feature="security", level="extended")
def test_only_the_allowed_namespace_is_answered(sample: Sample, judge: Judge) -> None:
    """An AuthorizationPolicy for one namespace denies accounts of all others, wherever they
    are."""
    policy = allowing_the_namespace()
    with enforced(sample, [policy], of_policy(policy)):
        judge(the_namespace_alone_is_answered(sample))


@behaviour("authorization/deny-before-allow", feature="security", level="extended")
def test_who_is_denied_is_not_let_in_by_another_policy(sample: Sample, judge: Judge) -> None:
    """Whom one AuthorizationPolicy denies is denied, though another one allows him."""
    allow, deny = allowing_sleep(sample), denying_sleep(sample)
    with enforced(sample, [allow], of_policy(allow)):
        control = sleep_is_answered(sample)
        with enforced(sample, [deny], of_policy(deny)):
            claim = denied_though_allowed(sample)
    judge(with_control(claim, control))


@behaviour("authorization/mesh-wide", feature="security", level="extended")
def test_a_policy_of_the_root_namespace_is_for_all(sample: Sample, judge: Judge) -> None:
    """An AuthorizationPolicy in the root namespace governs servers of other namespaces."""
    policy = closing_a_path_mesh_wide()
    with enforced(sample, [policy], of_policy(policy)):
        judge(one_path_is_closed_mesh_wide(sample))
