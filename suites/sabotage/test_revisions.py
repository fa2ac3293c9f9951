"""Sidecars of another revision are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.workloads.sample import Sample
from suites.revisions.claims import sidecars_follow


@pytest.mark.only_variant("revision")
def test_sidecars_of_another_revision_are_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With sidecars of one revision, the claim that they are another's fails and names theirs."""
    own = sample.mesh.deployment.revision
    judge(noticed([sidecars_follow(sample, f"not-{own}")], f"by '{own}', from istiod-{own}."))
