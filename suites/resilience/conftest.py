"""What the tests of resilience stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshproof.faults.servers import faulty
from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample


@pytest.fixture(scope="module")
def faults(labs: object) -> Iterator[Standing[None]]:
    """Servers that fail or are slow when a caller asks for it, as usual after the module."""
    standing = Standing(faulty)
    yield standing
    standing.close()


@pytest.fixture
def fallible(sample: Sample, faults: Standing[None]) -> Sample:
    """The sample, whose servers fail or are slow when a caller asks for it."""
    faults.on(sample)
    return sample
