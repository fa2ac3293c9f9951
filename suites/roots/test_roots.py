"""Shared root: without one, clusters with control planes of their own do not trust each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.roots.claims import nobody_needs_vouching_for, nobody_vouches_for_others

Judge = Callable[[Verdict], None]
pytestmark = [
    pytest.mark.primaries(2),
    pytest.mark.several_versions,
    pytest.mark.only_variant("unrelated-roots"),
]


@behaviour("roots/unrelated-roots-refused", feature="security")
def test_without_a_shared_root_calls_to_the_other_cluster_fail(
    sample: Sample, caller: str, judge: Judge
) -> None:
    """With unrelated roots calls to another primary's clusters fail by TLS, and others go on."""
    judge(nobody_vouches_for_others(sample, caller))


@behaviour("roots/disabled-needs-no-shared-root", feature="security")
@pytest.mark.networks(1)
@pytest.mark.mtls("disabled")
def test_without_mtls_no_shared_root_is_needed(sample: Sample, caller: str, judge: Judge) -> None:
    """With unrelated roots and mTLS disabled, every version answers on a flat network."""
    judge(nobody_needs_vouching_for(sample, caller))
