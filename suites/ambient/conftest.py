"""What the tests of ambient's settings stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshproof.faults.istiod import istiods_set
from meshproof.run.standing import Standing
from meshproof.runner.late import leave_out
from meshproof.traffic.connected import rejections
from meshproof.workloads.sample import Sample
from suites.ambient.claims import FLAGS


@pytest.fixture(scope="module")
def standing(labs: object) -> Iterator[Standing[None]]:
    """istiods with ambient's settings, which they lose again after the module."""
    made = Standing(lambda sample: istiods_set(sample, FLAGS))
    yield made
    made.close()


@pytest.fixture
def ambient(sample: Sample, standing: Standing[None], request: pytest.FixtureRequest) -> Sample:
    """The sample, on istiods with ambient's settings. Where a plain Envoy rejects what they give,
    tests do not apply; Istio's own should take it."""
    standing.on(sample)
    if any(sample.mesh.bundle.filters_off.values()) and (refused := rejections(sample)):
        leave_out(request.node, f"needs proxies that take ambient's settings, and {refused[0]}")
    return sample
