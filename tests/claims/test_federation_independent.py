"""What is claimed of a service outside all meshes, which each of them enters by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.kube.asking import Failed, Failure, Reply
from meshproof.lab.network.router import OWN_ADDRESS
from meshproof.mesh.mesh import Way
from meshproof.mesh.proxy import outbound
from meshproof.workloads.sample import PORT
from suites.federation.independent import EXTERNAL, INDEPENDENT, reached_by_its_entry
from tests.claims.changes import changed, failing, logged, unlogged, unseen
from tests.claims.exposing import by_name, served_by, with_askers
from tests.claims.table import (
    Case,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    passes,
    unclear,
)
from tests.claims.world import Came
from tests.doubles.calls import Call

THERE = Way(OWN_ADDRESS, PORT)


def for_it(call: Call) -> bool:
    return call.host == INDEPENDENT


def entered(stage: Stage) -> None:
    """The mesh has an entry of the service, whose server answers."""
    with_askers(stage)
    world = stage.world

    def outside(call: Call, _: Came) -> Came:
        said = f"Hello version: {EXTERNAL}, instance: {EXTERNAL}\nhost: {call.host}\n"
        line = world.line(call, 200) | {
            "upstream_host": str(THERE),
            "upstream_cluster": outbound(INDEPENDENT, PORT),
        }
        return Came(Reply(status=200, body=said), None, line)

    changed(outside, for_it)(stage)


def by_mutual_tls(_: Call, came: Came) -> Came:
    shown = "x-forwarded-client-cert: By=spiffe://a/b;URI=spiffe://c/d"
    return replace(came, reply=replace(came.reply, body=f"{came.reply.body}{shown}\n"))


def by_a_gateway(stage: Stage) -> None:
    """The calls set out for the other mesh's gateway."""
    world = stage.world
    (server,) = world.servers("v2")

    def crossing(call: Call, came: Came) -> Came:
        return replace(came, crossed=world.segments(call, server, "tls"))

    changed(crossing, for_it)(stage)


def unnamed(_: Call, __: Came) -> Came:
    return Came(Reply(Failure(Failed.NAME, "no such host")))


OF_EAST = Setting(lambda stage: (stage.world.sample, "east", THERE), "federation", before=entered)
CASES = [
    *cases(
        reached_by_its_entry,
        OF_EAST,
        passes(),
        fails("the name does not resolve", changed(unnamed, for_it)),
        fails("20 x 503 [UF]", failing(503, "UF", "upstream_reset", for_it)),
        fails("20 were by v1", served_by("v1", for_it)),
        fails("20 came by mutual TLS, as spiffe://c/d", changed(by_mutual_tls, for_it)),
        fails(
            "upstream_host is 172.30.2.200:15443",
            logged(for_it, upstream_host="172.30.2.200:15443"),
        ),
        fails(
            "20 were sent to PassthroughCluster (nobody)",
            logged(for_it, upstream_cluster="PassthroughCluster"),
        ),
        fails("20 segments did", by_a_gateway),
        unclear("the control did not hold", unseen(by_name)),
        unclear("20 without a line in the caller's access log", unlogged(for_it)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_federation_independent(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
