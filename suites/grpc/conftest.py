"""What the tests of gRPC stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample
from suites.grpc.rules import grpc_service


@pytest.fixture(scope="module")
def standing(labs: object) -> Iterator[Standing[None]]:
    """helloworld's Service for gRPC, removed after the module."""
    made = Standing(grpc_service)
    yield made
    made.close()


@pytest.fixture
def called(sample: Sample, standing: Standing[None]) -> Sample:
    """The sample, with a Service for gRPC."""
    standing.on(sample)
    return sample
