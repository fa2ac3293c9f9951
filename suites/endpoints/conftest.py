"""What the tests of readiness stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample
from suites.endpoints.unready import gated


@pytest.fixture(scope="module")
def gates(labs: object) -> Iterator[Standing[None]]:
    """Instances whose readiness is ours to tell, taken down after the module."""
    standing = Standing(gated)
    yield standing
    standing.close()


@pytest.fixture
def gating(sample: Sample, gates: Standing[None]) -> Sample:
    """The sample, with one more instance of each version whose readiness is ours to tell."""
    gates.on(sample)
    return sample
