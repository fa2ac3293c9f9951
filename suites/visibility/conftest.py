"""What the tests of visibility stand on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from meshproof.run.standing import Standing
from meshproof.traffic.services import offered
from meshproof.workloads.sample import Sample
from suites.visibility.narrowing import service


def _setting(sample: Sample) -> AbstractContextManager[None]:
    return offered(sample, [service()])


@pytest.fixture(scope="module")
def further(labs: object) -> Iterator[Standing[None]]:
    """A further Service before all versions, gone after the module."""
    standing = Standing(_setting)
    yield standing
    standing.close()


@pytest.fixture
def visible(sample: Sample, further: Standing[None]) -> Sample:
    """The sample, with a further Service before all versions that everybody sees."""
    further.on(sample)
    return sample
