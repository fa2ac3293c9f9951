"""What the tests of matches stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample
from suites.matches.kinds import matching


@pytest.fixture(scope="module")
def routes(labs: object) -> Iterator[Standing[None]]:
    """A Service, and a route for each kind of match, taken down after the module."""
    standing = Standing(matching)
    yield standing
    standing.close()


@pytest.fixture
def matched(sample: Sample, routes: Standing[None]) -> Sample:
    """The sample, with a route for each kind of match."""
    routes.on(sample)
    return sample
