"""Routes that take more than they should, or nothing, are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.matches.claims import taken_and_left
from suites.matches.kinds import KINDS, matching
from suites.sabotage.shown import require_arrived

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@proves("matches/uri", "matches/method", "matches/query", "matches/port", "matches/header")
def test_matches_that_take_too_much_are_noticed(sample: Sample, judge: Judge) -> None:
    """With matches that take more, the claims that they leave it fail and name their routes."""
    with matching(sample, wide=True):
        require_arrived(sample)
        claimed = [(kind.name, taken_and_left(sample, [kind])) for kind in KINDS]
    judge(all_of(noticed([verdict], f"went by the route {name}") for name, verdict in claimed))
