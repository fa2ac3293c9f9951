"""Least privilege: what can be done in a cluster with the secret that lies in another."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.privilege.claims import (
    can_do_what_is_needed,
    has_exactly_the_rights_listed,
    is_refused_the_rest,
)

pytestmark = pytest.mark.remote_secrets


@behaviour("privilege/exactly-the-rights-listed", feature="security")
def test_the_account_has_exactly_the_rights_listed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """A remote secret's account has exactly the rights that this version of Istio needs."""
    judge(has_exactly_the_rights_listed(sample))


@behaviour("privilege/can-do-what-istiod-needs", feature="security")
def test_the_account_can_do_what_istiod_needs(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a remote secret istiod can read, review and write what it needs in the remote."""
    judge(can_do_what_is_needed(sample))


@behaviour("privilege/refused-everything-else", feature="security")
def test_the_account_is_refused_everything_else(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a remote secret nobody writes workloads, secrets or RBAC, execs, or impersonates."""
    judge(is_refused_the_rest(sample))
