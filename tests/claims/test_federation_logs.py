"""What is claimed of the logs of a call to another mesh."""

from __future__ import annotations

import json

import pytest

from meshproof.mesh.gateways import sni_of
from meshproof.mesh.operator_config import ACCESS_LOG
from meshproof.workloads.sample import PORT
from suites.federation.logs import either_side_logs_its_part
from tests.claims.changes import changed, logged, unheard, unlogged
from tests.claims.exposing import IMPORTED, by_name, heard_as, of, served_by, silent
from tests.claims.table import NO_LINE, Case, Doing, Stage, cases, fails, judge, passes, unclear
from tests.claims.world import Came
from tests.doubles.calls import Call

SNI = sni_of(IMPORTED.host, PORT)


def also_at_the_gateway(**fields: str) -> Doing:
    """The gateway logs a line of each call as well."""

    def done(stage: Stage) -> None:
        world = stage.world

        def told(call: Call, came: Came) -> Came:
            line = dict.fromkeys(ACCESS_LOG) | {"status": 0, "sni": SNI}
            known = {name: text or call.id for name, text in fields.items()}
            world.say(world.gateway("west"), json.dumps(line | known))
            return came

        changed(told, by_name)(stage)

    return done


CASES = [
    *cases(
        either_side_logs_its_part,
        of(),
        passes(),
        passes(doing=also_at_the_gateway()),
        fails("v1 from east", served_by("v1", by_name)),
        fails(
            "20 for outbound|5000|chosen|helloworld.sample.global",
            logged(upstream_cluster="outbound|5000|chosen|helloworld.sample.global"),
        ),
        fails("to nobody", logged(upstream_peer=None)),
        fails("20 of nobody for", heard_as(peer=None)),
        fails("20 requests, such as", also_at_the_gateway(request_id="")),
        fails("20 connections of spiffe://a/b", also_at_the_gateway(peer="spiffe://a/b")),
        unclear("the control did not hold", silent),
        unclear("20 of 20 in no server's log", unheard()),
        unclear(NO_LINE, unlogged()),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_federation_logs(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
