"""What the tests of names stand on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample
from suites.names.services import dns_sleeps, scattered_services
from suites.names.tcp import tcp_services


@contextmanager
def _setting(sample: Sample) -> Iterator[None]:
    with scattered_services(sample), dns_sleeps(sample):
        yield


@pytest.fixture(scope="module")
def setting(labs: object) -> Iterator[Standing[None]]:
    """Services in one cluster only and sleeps with a DNS proxy, taken down after the module."""
    standing = Standing(_setting)
    yield standing
    standing.close()


@pytest.fixture
def scattered(sample: Sample, setting: Standing[None]) -> Sample:
    """The sample, with Services that exist in one cluster only and sleeps with a DNS proxy."""
    setting.on(sample)
    return sample


@pytest.fixture(scope="module")
def tcp_setting(setting: object) -> Iterator[Standing[None]]:
    """TCP Services in one cluster only, taken down after the module, before what knows them."""
    standing = Standing(tcp_services)
    yield standing
    standing.close()


@pytest.fixture
def apart(scattered: Sample, tcp_setting: Standing[None]) -> Sample:
    """The same, with TCP Services that exist in one cluster only, and have one address where the
    clusters' ranges allow it."""
    tcp_setting.on(scattered)
    return scattered
