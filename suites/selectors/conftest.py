"""What the tests of discovery selectors stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample
from suites.selectors.aside import aside


@pytest.fixture(scope="module")
def standing(labs: object) -> Iterator[Standing[None]]:
    """A namespace aside in each cluster, removed after the module."""
    made = Standing(aside)
    yield made
    made.close()


@pytest.fixture
def extended(sample: Sample, standing: Standing[None]) -> Sample:
    """The sample, with helloworld in a namespace aside as well."""
    standing.on(sample)
    return sample
