"""Calls by gRPC that not every version answers, or that nobody denies, are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.faults.discovery import unread
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import healed, require
from meshproof.workloads.sample import GRPC_PORT, Sample
from suites.grpc.claims import denied_by_status, every_version_answers
from suites.grpc.rules import HOST_OF_GRPC, grpc_service

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@proves("grpc/every-version-answers")
def test_a_cluster_that_is_not_read_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a cluster that istiod does not read, the claim that every version answers fails."""
    caller, home = sample.read_from_elsewhere
    asking = sample.caller(caller)
    cluster = outbound(HOST_OF_GRPC, GRPC_PORT)
    try:
        with grpc_service(sample):
            count = len(endpoints(asking, cluster))
            reader = sample.mesh.cluster(sample.topology[caller].primary)
            with unread(reader, sample.mesh.cluster(home)):
                require(
                    lambda: len(endpoints(asking, cluster)),
                    until=lambda now: now < count,
                    what=f"the loss of {home}",
                )
                verdict = every_version_answers(sample, caller)
    finally:
        healed(sample)
    lost = ", ".join(sample.versions_in(home))
    judge(noticed([verdict], f"{lost} never answered"))


@proves("grpc/denied-by-status")
def test_a_missing_policy_of_grpc_is_noticed(sample: Sample, judge: Judge) -> None:
    """With no AuthorizationPolicy, the claim that calls by gRPC are denied fails."""
    with grpc_service(sample):
        verdict = denied_by_status(sample)
    judge(noticed([verdict], "x 200"))
