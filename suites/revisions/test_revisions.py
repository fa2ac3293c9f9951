"""Revisions: a namespace that asks for a control plane's revision is served by that one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.revisions.claims import sidecars_follow


# https://github.com/istio/istio/issues/47552: with a revision the remote was not injected.
@behaviour("revisions/sidecars-follow-their-namespace", feature="injection")
@pytest.mark.only_variant("revision")
def test_sidecars_follow_the_revision_that_their_namespace_asks_for(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a named revision, sidecars in every cluster are injected and configured by it."""
    judge(sidecars_follow(sample, sample.mesh.deployment.revision))
