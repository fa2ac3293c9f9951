"""What is claimed of instances in several zones behind one gateway."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.mesh.proxy import Endpoint
from suites.weight.zones import zones_add_up
from tests.claims.changes import after, answering, unlogged
from tests.claims.table import (
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
from tests.claims.test_weight import known, scaled, shared_by_versions

FOUR = {"v1": 1, "v2": 4}


def in_zones(*zones: str) -> Doing:
    """The pods of v2 are in these zones, in turn; the first pod is the topology's own."""

    def done(stage: Stage) -> None:
        scaled("v2", len(zones) - 1)(stage)
        names = [one.name for one in stage.world.servers("v2")]
        stage.world.zones = dict(zip(names, zones, strict=True))

    return done


def weighing(weight: int) -> Doing:
    """Istio 1.31.1 lists the gateway once in each zone, and Envoy keeps the first."""

    def changed(endpoints: list[Endpoint]) -> list[Endpoint]:
        return [replace(one, weight=weight) if one.port == 15443 else one for one in endpoints]

    return known(changed)


def in_one_zone(stage: Stage) -> None:
    """All pods of v2 are in one."""
    stage.world.zones = {one.name: "m/za" for one in stage.world.servers("v2")}


def unread(stage: Stage) -> None:
    """The istiod in east does not know of west's pods."""
    shards = stage.world.debug["endpointShardz"]
    stage.world.debug["endpointShardz"] = lambda name: {} if name == "east" else shards(name)


ONE_ZONE = "as much as the instances of one zone alone; behind are 4 instances in 3 zones"
SPREAD = in_zones("", "m/za", "m/zb", "m/zb")
CASES = [
    *cases(zones_add_up, on("v2", {**FOUR, "v2": 5}, before=SPREAD), fails("weighs 4, not 5;")),
    *cases(
        zones_add_up,
        on("v2", FOUR, before=SPREAD),
        passes(),
        fails("in east the gateway 172.30.2.200:15443 weighs 1, not 4, " + ONE_ZONE, weighing(1)),
        fails("(m/za: 1, m/zb: 2, no zone: 1)", weighing(2)),
        fails("weighs 3, not 4; behind are 4 instances", weighing(3)),
        fails("weighs 0, not 4; behind", known(lambda all_: all_[:1])),
        fails(
            f"{ONE_ZONE} (m/za: 1, m/zb: 2, no zone: 1)",
            after(weighing(1), shared_by_versions),
        ),
        fails("calls from east, answered by v2: 0 of", answering("v1")),
        unclear("the istiod in east knows 4 of 4 (m/za: 4)", in_one_zone),
        unclear("the istiod in east knows 0 of 4 (none)", unread),
        unclear("have no line in the caller's access log", unlogged()),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_zones(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
