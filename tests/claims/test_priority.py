"""What is claimed of calls that prefer one version."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.mesh.proxy import Endpoint
from suites.priority.claims import preferred_alone
from tests.claims.changes import after, answering, failing, retried, unlogged
from tests.claims.table import (
    FLAT,
    NO_LINE,
    SPLIT,
    Case,
    Doing,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)
from tests.doubles.played import PlayedPod


def first(version: str) -> Doing:
    """Proxies have a version before the others, and call it alone."""

    def done(stage: Stage) -> None:
        world = stage.world
        before = world.known

        def known(pod: PlayedPod, service: str, subset: str) -> list[Endpoint]:
            pods = world.servers(version)
            ways = {str(way) for one in pods for way in world.sample.ways(pod.cluster, one)}
            return [
                replace(one, priority=int(f"{one.address}:{one.port}" not in ways))
                for one in before(pod, service, subset)
            ]

        world.known = known
        answering(version)(stage)

    return done


def alike(stage: Stage) -> None:
    """Proxies have none before the others."""
    stage.world.known = stage.world.endpoints


CASES = [
    *cases(
        preferred_alone,
        on("east", "v2", topology=SPLIT, before=first("v2")),
        passes(),
        fails("in east the gateway of v2 comes no earlier than 10.10.0.5:5000", alike),
        fails("20 answered otherwise: 20 x v1 from east", first("v1")),
        fails("1 did not: 1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        fails("a hidden retry", retried()),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        preferred_alone,
        on("east", "v2", topology=FLAT, before=first("v2")),
        passes(),
        fails("in east the pod of v2 comes no earlier than 10.10.0.5:5000", alike),
        fails("v1 from east", after(alike, first("v1"))),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_priority(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
