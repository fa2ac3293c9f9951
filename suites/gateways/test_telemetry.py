"""Telemetry: a gateway that passes TLS on counts connections; requests it cannot see."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.gateways.telemetry import only_tcp_is_counted


@behaviour("gateways/counts-tcp-only", feature="telemetry")
@pytest.mark.networks(2)
def test_the_gateway_counts_tcp_only(
    sample: Sample, caller: str, target: str, judge: Callable[[Verdict], None]
) -> None:
    """The gateway's statistics show bytes and connections for the service, and no requests."""
    judge(only_tcp_is_counted(sample, caller, target))
