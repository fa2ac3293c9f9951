"""What the tests of redirection stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample
from suites.redirection.sleeps import sleeps


@pytest.fixture(scope="module")
def standing(labs: object) -> Iterator[Standing[str]]:
    """A sleep for each form of the annotation, taken down after the module."""
    made = Standing(sleeps)
    yield made
    made.close()


@pytest.fixture
def redirecting(sample: Sample, standing: Standing[str]) -> str:
    """The cluster that has a sleep for each form of the annotation."""
    return standing.on(sample)
