"""What is claimed of calls that stay in a cluster, or go to one that is named."""

from __future__ import annotations

import pytest

from meshproof.mesh.proxy import Endpoint
from meshproof.traffic.calls import HELLO
from meshproof.workloads.sample import HOST
from suites.local.claims import (
    goes_where_named,
    known_at_home,
    others_would_answer,
    stays_at_home,
)
from suites.local.rules import WISH
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
from tests.doubles.calls import Call
from tests.doubles.played import PlayedPod


def kept(stage: Stage) -> None:
    """Calls go to the cluster that they name, or stay in their own."""

    def chosen(call: Call, pods: list[PlayedPod]) -> list[PlayedPod]:
        cluster = call.headers.get(WISH, call.caller.cluster)
        return [one for one in pods if one.cluster == cluster]

    stage.world.chosen = chosen


def own_endpoints(stage: Stage) -> None:
    """Proxies know the pods of their own cluster alone."""
    world = stage.world

    def known(pod: PlayedPod, service: str, version: str) -> list[Endpoint]:
        mine = [one for one in world.servers() if one.cluster == pod.cluster]
        return [Endpoint(str(one.address), 5000, 1, True) for one in mine]

    world.known = known


def no_endpoints(stage: Stage) -> None:
    stage.world.known = lambda *_: []


CASES = [
    *cases(
        stays_at_home,
        on(HELLO, topology=SPLIT, before=kept),
        passes(),
        fails("40 x v2 from west", answering("v2")),
        fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        fails("a hidden retry", retried()),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(stays_at_home, on(HELLO, topology=FLAT), fails("20 x v2 from west")),
    *cases(
        goes_where_named,
        on(topology=SPLIT, before=kept),
        passes(),
        fails("40 x v1 from east", answering("v1")),
        fails("1 x 503 [NC]", failing(503, "NC", "cluster_not_found")),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        others_would_answer,
        on(topology=SPLIT),
        passes(),
        unclear("v2 never answered", answering("v1")),
    ),
    *cases(
        known_at_home,
        on(HOST, topology=SPLIT),
        passes(doing=own_endpoints),
        fails("172.30.2.200:15443"),
        fails("in east it knows nobody", no_endpoints),
        unclear("v2 never answered", after(own_endpoints, answering("v1"))),
        unclear(NO_LINE, after(own_endpoints, unlogged())),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_local(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
