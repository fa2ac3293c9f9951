"""Remote secrets under load: what was promised is that nobody notices."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.expect.undisturbed import unnoticed
from meshproof.faults.credential import rewritten, rotated
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.change.claims import forgotten_and_read_again
from suites.change.secrets import away_and_back, over_a_change, read_by_secret

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.remote_secrets, requires(Capability.NODES)]


# Who promises it: https://github.com/istio/istio/pull/58567 ("handle remote cluster secret update
# in a more graceful way"), since Istio 1.30. What broke it: https://github.com/istio/istio/issues/
# 61043 (shards wiped), 60612 (registry stale), 60920 (gateway gone).
@behaviour("change/secret-rewritten", feature="change", level="extended")
def test_a_secret_that_is_written_anew_costs_nothing(sample: Sample, judge: Judge) -> None:
    """A remote secret that is written over with the same token costs no call, and no instance is
    missing, then or later."""
    secrets = read_by_secret(sample)[:1]
    judge(unnoticed(over_a_change(sample, rewritten, "its secret is written anew", secrets)))


@behaviour("change/secret-rotated", feature="change", level="extended")
def test_a_secret_with_another_token_costs_nothing(sample: Sample, judge: Judge) -> None:
    """A remote secret that is written over with another token costs no call, and no instance is
    missing, then or later."""
    secrets = read_by_secret(sample)[:1]
    judge(unnoticed(over_a_change(sample, rotated, "its token is rotated", secrets)))


@pytest.mark.primaries(2)
@behaviour("change/secrets-rotated-at-once", feature="change", level="extended")
def test_secrets_that_are_rotated_at_once_cost_nothing(sample: Sample, judge: Judge) -> None:
    """Two remote secrets that are rotated at once cost no call, and no instance is missing, then or
    later."""
    secrets = read_by_secret(sample)[:2]
    judge(unnoticed(over_a_change(sample, rotated, "two tokens are rotated", secrets)))


# How long a cluster is missing is promised by nobody: it is told
# (https://github.com/istio/istio/issues/36365). That its endpoints are removed with its secret:
# https://github.com/istio/istio/issues/27187.
@pytest.mark.several_versions
@behaviour("change/secret-removed-and-added", feature="change", level="extended")
def test_a_secret_that_is_removed_and_added_costs_no_call(sample: Sample, judge: Judge) -> None:
    """A remote secret that is removed takes its cluster's instances away without a lost call; added
    again it brings them back within a minute."""
    history, callers, versions = away_and_back(sample)
    judge(forgotten_and_read_again(history, callers, versions))
