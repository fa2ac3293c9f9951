"""What the tests of ambient's settings stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshproof.faults.istiod import istiods_set
from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample
from suites.ambient.claims import FLAGS


@pytest.fixture(scope="module")
def standing(labs: object) -> Iterator[Standing[None]]:
    """istiods with ambient's settings, which they lose again after the module."""
    made = Standing(lambda sample: istiods_set(sample, FLAGS))
    yield made
    made.close()


@pytest.fixture
def ambient(sample: Sample, standing: Standing[None]) -> Sample:
    """The sample, on istiods with ambient's settings."""
    standing.on(sample)
    return sample
