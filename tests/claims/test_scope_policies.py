"""What is claimed of the scope of policies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from suites.scope.policies import obeyed_by_their_own, without_them
from tests.claims.changes import after, changed, unheard, unlogged
from tests.claims.greeting import Met, ended, greeter
from tests.claims.table import (
    NO_LINE,
    REMOTE,
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
from tests.claims.world import Came, Line
from tests.doubles.calls import Call


def with_status(came: Came, status: int) -> Came:
    """A server answers with another status, and both proxies say so."""

    def said(line: Line) -> Line:
        return {**line, "status": status}

    heard = tuple((pod, said(line)) for pod, line in came.heard)
    reply = replace(came.reply, status=status)
    return replace(came, reply=reply, line=said(came.line or {}), heard=heard)


def refusing(path: str, *versions: str) -> Doing:
    """These versions refuse a path; others, and other paths, are not there."""

    def change(call: Call, came: Came) -> Came:
        if not call.caller.sidecar or came.server is None:
            return came
        refused = call.path == path and came.server.version in versions
        return with_status(came, 403 if refused else 404)

    return changed(change)


def open_in(*clusters: str) -> Doing:
    """Callers without a sidecar are answered in these clusters."""

    def done(stage: Stage) -> None:
        world = stage.world

        def change(call: Call, came: Came) -> Came:
            if call.caller.sidecar or call.caller.cluster not in clusters:
                return came
            servers = [one for one in world.servers() if one.cluster == call.caller.cluster]
            return world._plainly(call, servers[0], answered=True)

        changed(change)(stage)

    return done


def turned_away_from(*clusters: str) -> Doing:
    """Sleeps of these clusters are not greeted at the plain port."""

    def change(met: Met) -> Met:
        return ended(met) if met.caller.cluster in clusters else met

    return greeter(change)


def by_sidecars(call: Call) -> bool:
    return call.caller.sidecar


OF_EAST = after(refusing("/configured-in-east", "v1"), open_in("east"), turned_away_from("east"))
OF_BOTH = after(
    refusing("/configured-in-east", "v1", "v2"),
    open_in("east", "west"),
    turned_away_from("east", "west"),
)

OF_TCP = after(open_in("east"), turned_away_from("east", "west"))

CASES = [
    *cases(
        obeyed_by_their_own,
        on({"east"}, ("east",), topology=SPLIT),
        passes(doing=OF_EAST),
        fails("v2 should say 404", OF_BOTH),
        fails("v1 should say 403", after(refusing("/"), open_in("east"), turned_away_from("east"))),
        fails("4 of 4 answered in west", after(OF_EAST, open_in("west"))),
        fails("0 of 40 greeted from west", after(OF_EAST, turned_away_from("east", "west"))),
        fails("40 of 40 greeted from east", after(OF_EAST, greeter())),
        unclear(NO_LINE, after(OF_EAST, unlogged())),
        unclear("v1 says {}", after(OF_EAST, unheard(by_sidecars))),
    ),
    *cases(
        without_them,
        on(topology=REMOTE),
        passes(doing=greeter()),
        unclear("4 of 4 answered in west", after(greeter(), open_in("west"))),
        unclear("0 of 40 greeted from east", turned_away_from("east")),
    ),
    *cases(
        obeyed_by_their_own,
        on({"east"}, ("east", "west"), topology=REMOTE),
        passes(doing=OF_BOTH),
        fails(
            "0 of 4 answered in west", after(OF_EAST, refusing("/configured-in-east", "v1", "v2"))
        ),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_scope_of_policies(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
