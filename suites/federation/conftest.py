"""What the tests of federation stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample
from suites.federation.setting import federated
from suites.federation.zone import zones_forwarded


@pytest.fixture(scope="module")
def setting(labs: object) -> Iterator[Standing[None]]:
    """Sleeps with a DNS proxy and Services that nobody exposes, taken down after the module."""
    standing = Standing(federated)
    yield standing
    standing.close()


@pytest.fixture(scope="module")
def zones(labs: object) -> Iterator[Standing[None]]:
    """The zone of global names in the DNS of all consumers, taken down after the module."""
    standing = Standing(zones_forwarded)
    yield standing
    standing.close()


@pytest.fixture
def zoned(foreign: Sample, zones: Standing[None]) -> Sample:
    """The same with global names in the clusters' own DNS."""
    zones.on(foreign)
    return foreign


@pytest.fixture
def foreign(sample: Sample, setting: Standing[None]) -> Sample:
    """The sample, whose sleeps call other meshes' services by their global names."""
    setting.on(sample)
    return sample
