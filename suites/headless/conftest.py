"""What the tests of headless Services stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample
from suites.headless.sets import ordered_pods


@pytest.fixture(scope="module")
def sets(labs: object) -> Iterator[Standing[None]]:
    """A StatefulSet in each cluster and sleeps with a DNS proxy, taken down after the module."""
    standing = Standing(ordered_pods)
    yield standing
    standing.close()


@pytest.fixture
def ordered(sample: Sample, sets: Standing[None]) -> Sample:
    """The sample, with a StatefulSet in each cluster and sleeps with a DNS proxy."""
    sets.on(sample)
    return sample
