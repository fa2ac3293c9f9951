"""Distribution: a service's instances in both clusters share the calls."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.distribution.claims import every_version_answers, settles_in_time


@pytest.mark.each_topology
@behaviour("distribution/settles-in-time", feature="discovery")
@pytest.mark.variant("mesh-networks", "revision")
@pytest.mark.mtls("strict", "permissive", "disabled")
@pytest.mark.machines("too")
@pytest.mark.managed("too")
def test_the_mesh_settles_in_time(sample: Sample, judge: Callable[[Verdict], None]) -> None:
    """Within a minute of its installation every version answers every caller, as its mode says."""
    judge(settles_in_time(sample.mesh.settling))


@pytest.mark.each_topology
@behaviour("distribution/every-version-answers", feature="discovery")
@pytest.mark.variant("mesh-networks", "revision")
@pytest.mark.mtls("strict", "permissive", "disabled")
@pytest.mark.machines("too")
@pytest.mark.managed("too")
def test_every_version_answers(
    sample: Sample, calling: str, judge: Callable[[Verdict], None]
) -> None:
    """Calls to helloworld are answered by every version, each from the cluster that it runs in."""
    judge(every_version_answers(sample, calling))
