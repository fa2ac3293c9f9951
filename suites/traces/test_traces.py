"""Traces: a gateway that passes TLS on takes no part in any."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.model import Exposure
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.exposed import exposed_versions
from meshproof.workloads.sample import Sample
from suites.traces.claims import the_gateway_is_in_no_trace, traced


@behaviour("traces/across-meshes", feature="telemetry", level="extended")
def test_a_call_of_another_mesh_is_one_trace(
    sample: Sample, importer: str, imported: Exposure, judge: Callable[[Verdict], None]
) -> None:
    """Calls to another mesh by a global name are in one trace with the servers' part, as far as
    both report to one place, and no gateway has a part in it."""
    with traced(sample) as sinks:
        verdicts = [
            the_gateway_is_in_no_trace(sample, importer, one, sinks, imported.host)
            for one in exposed_versions(sample, imported)
        ]
    judge(all_of(verdicts))


@behaviour("traces/gateway-in-no-trace", feature="telemetry")
@pytest.mark.networks(2)
def test_the_gateway_is_in_no_trace(sample: Sample, judge: Callable[[Verdict], None]) -> None:
    """Traces of calls across networks have parts of both sidecars, and none of a gateway."""
    with traced(sample) as sinks:
        pairs = sample.pairs(same_network=False)
        verdicts = [the_gateway_is_in_no_trace(sample, *pair, sinks) for pair in pairs]
    judge(all_of(verdicts))
