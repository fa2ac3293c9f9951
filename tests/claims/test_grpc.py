"""What is claimed of calls by gRPC."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.kube.asking import Failed, Failure, Reply
from suites.grpc.claims import denied_by_status, every_version_answers
from tests.claims.changes import answering, changed, failing, logged, retried, unlogged
from tests.claims.table import (
    FLAT,
    NO_LINE,
    SPLIT,
    Case,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)
from tests.claims.world import Came
from tests.doubles.calls import Call


def by_grpc(call: Call) -> bool:
    return call.url.startswith("grpc://")


def by_http(call: Call) -> bool:
    return not by_grpc(call)


def denied(stage: Stage) -> None:
    """Calls by gRPC end with the status for what is denied."""
    failure = Failure(Failed.GRPC, "grpc-status 7 (PermissionDenied): RBAC: access denied")
    changed(lambda _, came: replace(came, reply=Reply(failure)), by_grpc)(stage)


def unavailable(stage: Stage) -> None:
    failure = Failure(Failed.GRPC, "grpc-status 14 (Unavailable): no healthy upstream")
    changed(lambda _, came: replace(came, reply=Reply(failure)), by_grpc)(stage)


def by_several_connections(stage: Stage) -> None:
    """Each call is made by a connection of its own."""

    def other(call: Call, came: Came) -> Came:
        source = f"{call.caller.address}:{40000 + call.number}"
        return replace(came, reply=replace(came.reply, source=source))

    changed(other)(stage)


def unnamed(stage: Stage) -> None:
    """Servers are not told who calls."""

    def other(_: Call, came: Came) -> Came:
        body = came.reply.body.split("x-forwarded-client-cert")[0]
        return replace(came, reply=replace(came.reply, body=body))

    changed(other)(stage)


CASES = [
    *(
        line
        for topology in (SPLIT, FLAT)
        for line in cases(
            every_version_answers,
            on("east", topology=topology),
            passes(),
            fails("v2 never answered", answering("v1")),
            fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
            fails("a hidden retry", retried()),
            fails("upstream_host is 10.9.9.9:5001", logged(upstream_host="10.9.9.9:5001")),
            fails("None and spiffe://", unnamed),
            unclear("by 40 connections", by_several_connections),
            unclear(NO_LINE, unlogged()),
        )
    ),
    *cases(
        denied_by_status,
        on(before=denied),
        passes(),
        fails("another status than OK", unavailable),
        unclear("4 did not", failing(503, "UH", "no_healthy_upstream", by_http)),
    ),
    *cases(denied_by_status, on(), fails("x 200")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_grpc(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
