"""What the tests of newcomers stand on."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest

from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample
from suites.newcomers.setting import latecomers


@pytest.fixture(scope="module")
def setting(labs: object) -> Iterator[Standing[Collection[str]]]:
    """A new namespace in each cluster, removed after the module."""
    standing = Standing(latecomers)
    yield standing
    standing.close()


@pytest.fixture
def extended(sample: Sample, setting: Standing[Collection[str]]) -> Sample:
    """The sample, with a new namespace in each cluster."""
    setting.on(sample)
    return sample


@pytest.fixture
def rooted(sample: Sample, setting: Standing[Collection[str]]) -> Collection[str]:
    """The clusters whose new namespace has got the mesh's root."""
    return setting.on(sample)
