"""What the tests of the Multi-Cluster Services API stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample
from suites.mcs.clusterset import cluster_set


@pytest.fixture(scope="module")
def standing(labs: object) -> Iterator[Standing[None]]:
    """Istiods that heed the API, and imports, taken down after the module."""
    made = Standing(cluster_set)
    yield made
    made.close()


@pytest.fixture
def importing(sample: Sample, standing: Standing[None]) -> Sample:
    """The sample, with helloworld imported in every cluster."""
    standing.on(sample)
    return sample
