"""Metrics: both sides of a call know in which clusters it began and ended."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.telemetry.claims import counted_by_cluster


@behaviour("telemetry/counted-by-cluster", feature="telemetry")
@requires(Capability.ISTIO_FILTERS)
def test_calls_are_counted_by_cluster(
    sample: Sample, caller: str, judge: Callable[[Verdict], None]
) -> None:
    """Istio's metrics count calls under the caller's cluster and the server's, on both sides and
    through gateways too."""
    judge(counted_by_cluster(sample, caller))
