"""What is claimed of sidecars whose istiods have ambient's settings."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from meshproof.expect.known import explained
from meshproof.files import read_known_issues
from meshproof.mesh.proxy import Endpoint
from suites.ambient import claims
from suites.ambient.claims import SIGN, settings_took_effect, sidecars_go_on
from tests.claims.changes import after, answering, failing, logged, retried, unlogged
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

BEHAVIOUR = "ambient/flag-leaves-sidecars-alone"


def told(stage: Stage) -> None:
    """Proxies have what istiods with ambient enabled give."""
    dump: list[Mapping[str, object]] = [{"name": SIGN}]
    stage.world.dumps = {pod.name: dump for pod in stage.world.pods}
    stage.monkeypatch.setattr(claims, "rejections", lambda _: [])


def untold(stage: Stage) -> None:
    stage.world.dumps = {pod.name: [] for pod in stage.world.pods}


def rejecting(stage: Stage) -> None:
    said = "sleep.sample has rejected Listener: no such filter"
    stage.monkeypatch.setattr(claims, "rejections", lambda _: [said])


def at_home(stage: Stage) -> None:
    """Proxies know, and call, the instances of their own cluster alone."""
    world = stage.world

    def known(pod: PlayedPod, *_: str) -> list[Endpoint]:
        mine = [one for one in world.servers() if one.cluster == pod.cluster]
        return [Endpoint(str(one.address), 5000, 1, True) for one in mine]

    world.known = known
    answering("v1")(stage)


def knowing(*ways: tuple[str, int]) -> Doing:
    """Proxies know helloworld elsewhere."""
    found = [Endpoint(address, port, 1, True) for address, port in ways]
    return lambda stage: setattr(stage.world, "known", lambda *_: found)


CASES = [
    *cases(
        settings_took_effect,
        on(before=told),
        passes(),
        unclear("no listener connect_originate in sleep's proxy of east, west", untold),
        unclear("no such filter", rejecting),
    ),
    *(
        line
        for topology in (SPLIT, FLAT)
        for line in cases(
            sidecars_go_on,
            on("east", topology=topology),
            passes(),
            fails("in east it knows nobody", knowing()),
            fails("in east it knows 10.9.9.9:5000", knowing(("10.9.9.9", 5000))),
            fails("v2 never answered", answering("v1")),
            fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
            fails("in east it knows its own cluster's instances alone: 10.10.0.", at_home),
            fails("10.9.9.9:5000", logged(upstream_host="10.9.9.9:5000")),
            unclear(NO_LINE, unlogged()),
        )
    ),
]


@pytest.mark.parametrize("topology", [SPLIT, FLAT])
@pytest.mark.parametrize(
    ("doing", "known"),
    [
        (at_home, True),
        (after(at_home, retried()), False),
        (after(at_home, failing(503, "UH", "no_healthy_upstream")), False),
        (answering("v1"), False),
        (knowing(), False),
    ],
)
def test_the_known_issue_is_told_from_every_other_failure(
    topology: str, doing: Doing, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone = Case(sidecars_go_on, on("east", topology=topology), fails("", doing))
    verdict = judge(lone, monkeypatch)
    issues = [one for one in read_known_issues() if one.behaviour == BEHAVIOUR]
    assert bool(explained(verdict, issues)[1]) is known


@pytest.mark.parametrize("case", CASES, ids=str)
def test_ambient(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
