"""What the tests of hops stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample
from suites.hops.proxies import Proxies, proxies


@pytest.fixture(scope="module")
def gateways(labs: object) -> Iterator[Standing[Proxies]]:
    """Two gateways and a server outside the mesh, taken down after the module."""
    standing = Standing(proxies)
    yield standing
    standing.close()


@pytest.fixture
def hops(sample: Sample, gateways: Standing[Proxies]) -> Proxies:
    """Two gateways in two clusters, and a server outside the mesh."""
    return gateways.on(sample)
