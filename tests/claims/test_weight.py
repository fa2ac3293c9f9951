"""What is claimed of weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from meshproof.mesh.proxy import Endpoint
from suites.weight.claims import shares_follow, weights_follow
from tests.claims.changes import answering, retried, unlogged
from tests.claims.table import (
    MIXED,
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

ONE_EACH = {"v1": 1, "v2": 1}
THREE = {"v1": 1, "v2": 3}


def scaled(version: str, more: int) -> Doing:
    """A version has more pods than the topology says."""

    def done(stage: Stage) -> None:
        pods = stage.world.pods
        one = stage.world.servers(version)[0]
        pods += [
            replace(one, name=f"{one.name}-{number}", address=one.address + 100 + number)
            for number in range(more)
        ]

    return done


def known(change: Callable[[list[Endpoint]], list[Endpoint]]) -> Doing:
    """Proxies have other endpoints than they should."""

    def done(stage: Stage) -> None:
        world = stage.world
        world.known = lambda *of: change(world.endpoints(*of))

    return done


def heavier(endpoints: list[Endpoint]) -> list[Endpoint]:
    return [replace(endpoints[0], weight=7), *endpoints[1:]]


def ill(endpoints: list[Endpoint]) -> list[Endpoint]:
    return [replace(one, healthy=False) for one in endpoints]


def shared_by_versions(stage: Stage) -> None:
    """Each version answers as often as the other, however many pods it has."""
    one_of_each = [stage.world.servers(version)[0] for version in ("v1", "v2")]
    stage.world.chosen = lambda *_: one_of_each


CASES = [
    *cases(
        weights_follow,
        on(ONE_EACH, topology=SPLIT),
        passes(),
        fails("in east v1 weighing 7, v2 weighing 1", known(heavier)),
        fails("1 unhealthy", known(ill)),
        fails("in east v1 weighing 1 (10.", known(lambda all_: all_[:1])),
        fails("in east nothing ()", known(lambda all_: [])),
    ),
    *cases(weights_follow, on({**ONE_EACH, "v3": 1}, topology=MIXED), passes()),
    *cases(
        weights_follow,
        on(THREE, topology=SPLIT, before=scaled("v2", 2)),
        passes(),
        fails("in east v1 weighing 1, v2 weighing 4", scaled("v2", 1)),
    ),
    *cases(
        shares_follow,
        on("v2", ONE_EACH, topology=SPLIT),
        passes(),
        fails("calls from east, answered by v2: 0 of", answering("v1")),
        fails("a hidden retry", retried()),
        unclear("have no line in the caller's access log", unlogged()),
    ),
    *cases(
        shares_follow,
        on("v2", THREE, topology=SPLIT, before=scaled("v2", 2)),
        passes(),
        fails("calls from east, answered by v2: 125 of 251 calls", shared_by_versions),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_weight(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
