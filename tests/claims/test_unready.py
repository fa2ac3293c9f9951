"""What is claimed of instances that are not ready."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.mesh.proxy import Endpoint
from meshproof.mesh.routes import host_of
from meshproof.workloads.sample import NAMESPACE
from suites.endpoints.unready import SERVICE
from suites.endpoints.unready_claims import unready_get_no_calls
from tests.claims.changes import after, answering, failing, retried, unlogged
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
from tests.doubles.played import PlayedPod


def gated(stage: Stage) -> None:
    """One more instance of each version; that of v2 is not ready, and called by nobody."""
    world = stage.world
    world.further[host_of(SERVICE, NAMESPACE)] = lambda pod: world.known(pod, SERVICE, "")
    for one in world.servers():
        name = one.name.replace("-0", "-gated-0")
        world.pods.append(replace(one, name=name, address=one.address + 50))
    before = world.known

    def known(pod: PlayedPod, service: str, version: str) -> list[Endpoint]:
        ways = {
            str(way)
            for server in world.servers("v2")
            for way in world.sample.ways(pod.cluster, server)
        }
        return [
            one for one in before(pod, service, version) if f"{one.address}:{one.port}" not in ways
        ]

    world.known = known
    answering("v1")(stage)


def told_all_the_same(stage: Stage) -> None:
    """Proxies know the instance of v2 as if it were ready."""
    stage.world.known = stage.world.endpoints


def told_as_unhealthy(stage: Stage) -> None:
    """Proxies are told of the instance, and that it is not well."""
    world = stage.world
    world.known = lambda *of: [replace(one, healthy=False) for one in world.endpoints(*of)]


FAILED = failing(503, "UF", "upstream_reset_before_response_started")
CASES = [
    *cases(
        unready_get_no_calls,
        on("east", "v2", topology=SPLIT, before=gated),
        passes(),
        passes(doing=told_as_unhealthy),
        fails(
            "east calls the gateway 172.30.2.200:15443, where no instance is ready",
            after(told_all_the_same, FAILED),
        ),
        fails("answered otherwise: 30 x v2 from west", answering("v2")),
        fails("1 did not: 1 x 503 [UF]", FAILED),
        fails("a hidden retry", retried()),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        unready_get_no_calls,
        on("east", "v2", topology=FLAT, before=gated),
        passes(),
        fails("east calls the pod 10.20.0.55:5000, where no instance is ready", told_all_the_same),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_unready(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
