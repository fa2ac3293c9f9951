"""Trust that should not be there, or is not where it should be, is noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.identities.claims import primaries_are_siblings
from suites.roots.claims import nobody_vouches_for_others

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.primaries(2)


@proves("roots/unrelated-roots-refused")
@pytest.mark.several_versions
def test_a_shared_root_is_noticed(sample: Sample, caller: str, judge: Judge) -> None:
    """With a shared root, the claim that nobody vouches for the other cluster fails."""
    verdict = nobody_vouches_for_others(sample, caller)
    judge(noticed([verdict], "20 x 200"))


@proves("identities/primaries-sign-for-themselves")
@pytest.mark.only_variant("unrelated-roots")
def test_unrelated_roots_are_noticed(sample: Sample, judge: Judge) -> None:
    """With unrelated roots, the claim that primaries' authorities are siblings fails."""
    judge(noticed([primaries_are_siblings(sample)], "2 authorities, 2 roots"))
