"""gRPC: balanced call by call, and refused by its own status."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.policies import denying_port, enforced, of_policy
from meshproof.workloads.sample import GRPC_PORT, Sample
from suites.grpc.claims import denied_by_status, every_version_answers

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@behaviour("grpc/every-version-answers", feature="discovery")
def test_every_version_answers_calls_of_one_connection(
    called: Sample, caller: str, judge: Judge
) -> None:
    """Calls by gRPC on one connection are answered by every version, by mutual TLS, on its way."""
    judge(every_version_answers(called, caller))


@behaviour("grpc/denied-by-status", feature="security")
def test_what_is_denied_is_told_by_status(called: Sample, judge: Judge) -> None:
    """An AuthorizationPolicy for the port of gRPC has calls end with PERMISSION_DENIED."""
    policy = denying_port(called, GRPC_PORT)
    with enforced(called, [policy], of_policy(policy)):
        judge(denied_by_status(called))
