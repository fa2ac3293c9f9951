"""Distribution: a service's instances in both clusters share the calls."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.distribution.claims import every_version_answers


@behaviour("distribution/every-version-answers", feature="discovery")
@pytest.mark.variant("mesh-networks", "revision")
@pytest.mark.mtls("strict", "permissive", "disabled")
def test_every_version_answers(
    sample: Sample, caller: str, judge: Callable[[Verdict], None]
) -> None:
    """Calls to helloworld are answered by every version, each from the cluster that it runs in."""
    judge(every_version_answers(sample, caller))
