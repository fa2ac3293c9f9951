"""What is claimed of a host and its members."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.host.content import Content
from meshproof.host.reconciler import Assignment, Readiness, State
from meshproof.host.usual import ANNEX, BANK, CATALOGUE, LEDGER, PLATFORM, SHOP, config_map
from meshproof.kube.objects import title
from meshproof.mesh import inventory
from suites.hosts import away
from suites.hosts.away import (
    Traces,
    catches_up,
    nothing_of_the_host,
    notices_revocation,
    undone_unasked,
)
from suites.hosts.claims import (
    absent,
    arrives,
    arrives_in,
    differs,
    fight_is_named,
    has_no_rights,
    has_rights,
    joined,
    says_failed,
    says_ready,
    view_is_right,
    withdrawn,
)
from suites.hosts.policies import denied_in
from suites.hosts.pushes import in_season, intruder, with_base
from tests.claims.changes import failing, unlogged
from tests.claims.hosted import MEMBERS, PlayedHost
from tests.claims.substitutes import everywhere
from tests.claims.table import (
    NO_LINE,
    Case,
    Doing,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)

TOPOLOGY = "host-member"
ONE, OTHER = Assignment(SHOP, "east"), Assignment(SHOP, "west")
READY = State(Readiness.READY, "ReconciliationSucceeded", "", "r1", "r1")
FAILED = State(Readiness.FAILED, "ReconciliationFailed", "it is Forbidden to clerk", "r0", "r1")
WORKING = State(Readiness.WORKING, "Progressing", "in progress", "r0", "r0")
REFUSED = replace(FAILED, said="Unauthorized")
THE_CATALOGUE = f"ConfigMap {SHOP}/{CATALOGUE}"
MAY_PUSH, MAY_READ = (SHOP, "east", "patch"), (SHOP, "west", "get")
ELSEWHERE = config_map(CATALOGUE, SHOP, {"place": "elsewhere", "season": "all"})
_HELD: list[PlayedHost] = []
"""The host of the case that is judged."""


def about(*arguments: object) -> Setting:
    """A claim of a host in memory."""

    def begin(_: Stage) -> None:
        _HELD[:] = [PlayedHost()]

    return Setting(lambda _: (_HELD[0], *arguments), TOPOLOGY, before=begin)


def of(*arguments: object) -> Setting:
    """A claim of values alone."""
    return Setting(lambda _: arguments, TOPOLOGY)


def done(*deeds: Callable[[PlayedHost], object]) -> Doing:
    """Something is done to the host, or its members."""

    def doing(_: Stage) -> None:
        for deed in deeds:
            deed(_HELD[0])

    return doing


def lost(member: str, kind_and_name: str) -> Callable[[PlayedHost], object]:
    return lambda host: host.there[member].pop(kind_and_name)


def missing_for(looks: int) -> Callable[[PlayedHost], object]:
    """The catalogue is in no member for so many looks at it."""
    left = [None] * looks

    def deed(host: PlayedHost) -> None:
        usual = host.look

        def look(member: str, one: dict[str, Any]) -> dict[str, Any] | None:
            return left.pop() if left and title(one) == THE_CATALOGUE else usual(member, one)

        host.look = look  # type: ignore[method-assign]

    return deed


def found(member: str, one: dict[str, Any]) -> Callable[[PlayedHost], object]:
    return lambda host: host.there[member].update({title(one): one})


def nothing_pushed(host: PlayedHost) -> None:
    host.push(SHOP, Content((), {}))


def without_members(host: PlayedHost) -> None:
    host.tenants = {**host.tenants, SHOP: replace(host.tenants[SHOP], members=())}


def pushes_the_catalogue(host: PlayedHost) -> None:
    host.push(PLATFORM, with_base(host.contents[PLATFORM], ELSEWHERE))


def says(name: str, readiness: Readiness, said: str = "") -> Callable[[PlayedHost], object]:
    return lambda host: host.say(name, readiness, said)


def in_turn(name: str, *states: State) -> Callable[[PlayedHost], object]:
    """What the host says of an assignment, one after the other, the last for good."""
    left = list(states)

    def deed(host: PlayedHost) -> None:
        usual = host.state

        def state(one: Assignment) -> State:
            if str(one) != name:
                return usual(one)
            return left.pop(0) if len(left) > 1 else left[0]

        host.state = state  # type: ignore[method-assign]

    return deed


def holding(**found: str) -> Doing:
    """What all objects of each cluster say, in one text."""

    def doing(stage: Stage) -> None:
        said = {"host": "address of east, address of west", "east": "", "west": "", **found}
        kind = SimpleNamespace(kind="Secret")

        def objects(api: str, _: object) -> list[dict[str, Any]]:
            return [{"metadata": {"name": "one", "namespace": "n"}, "say": said[api]}]

        def traces(cluster: Any) -> Traces:
            return Traces(cluster.name, (f"address of {cluster.name}",))

        everywhere(stage.monkeypatch, inventory.survey, lambda _: [kind])
        everywhere(stage.monkeypatch, inventory.objects_of, objects)
        everywhere(stage.monkeypatch, away.traces_of, traces)

    return doing


CASES: list[Case] = [
    *cases(
        arrives,
        about(SHOP),
        passes(""),
        fails("in west ConfigMap shop/catalogue is missing", done(lost("west", THE_CATALOGUE))),
        fails("ConfigMap shop/annex is there", done(found("east", config_map(ANNEX, SHOP, {})))),
        unclear("shop pushes nothing", done(nothing_pushed)),
    ),
    *cases(
        arrives_in,
        about(SHOP, "east"),
        passes("east has all 3"),
        fails("has another data.place", done(found("east", ELSEWHERE))),
        unclear("shop pushes nothing", done(nothing_pushed)),
    ),
    *cases(
        arrives_in,
        about(BANK, "east"),
        passes("east has all 0"),
        fails("ConfigMap bank/ledger is there", done(found("east", config_map(LEDGER, BANK, {})))),
    ),
    *cases(
        differs,
        about(SHOP, "east"),
        passes("data.season", done(lambda host: host.push(SHOP, in_season(host.contents[SHOP])))),
        fails("east has all 3"),
        unclear("shop pushes nothing", done(nothing_pushed)),
    ),
    *cases(
        withdrawn,
        about("east", [intruder(SHOP)], [ELSEWHERE]),
        passes("so it is"),
        fails("ConfigMap shop/intruder is still there", done(found("east", intruder(SHOP)))),
        fails("ConfigMap shop/catalogue is gone", done(lost("east", THE_CATALOGUE))),
    ),
    *cases(withdrawn, about("east", [], [ELSEWHERE]), unclear("nothing is named")),
    *cases(says_ready, of({ONE: READY, OTHER: READY}, "r1"), passes("")),
    *cases(says_ready, of({ONE: READY, OTHER: FAILED}, "r1"), fails("shop/west is failed")),
    *cases(says_ready, of({ONE: READY}, "r2"), fails("shop/east is at r1")),
    *cases(says_ready, of({}, "r1"), unclear("no assignments")),
    *cases(joined, of({ONE: READY, OTHER: READY}, {SHOP: "r1"}, 12.3), passes("after 12 s")),
    *cases(
        joined, of({ONE: READY, OTHER: FAILED}, {SHOP: "r1"}, 12.3), fails("shop/west is failed")
    ),
    *cases(joined, of({}, {SHOP: "r1"}, 0.0), unclear("nothing")),
    *cases(says_failed, of({ONE: FAILED}, "forbidden", "clerk"), passes("")),
    *cases(says_failed, of({ONE: READY}, "forbidden"), fails("shop/east is said to be in force")),
    *cases(says_failed, of({ONE: FAILED}, "bank"), fails("without a word of bank")),
    *cases(says_failed, of({ONE: WORKING}, "forbidden"), unclear("shop/east is working")),
    *cases(says_failed, of({}, "forbidden"), unclear("no assignments")),
    *cases(
        absent,
        about(MEMBERS, [intruder(BANK)]),
        passes("none is"),
        fails("ConfigMap bank/intruder in west", done(found("west", intruder(BANK)))),
    ),
    *cases(absent, about(MEMBERS, []), unclear("nothing was looked for")),
    *cases(
        has_rights,
        about(SHOP),
        passes("so it is in each"),
        fails("in east it may not push", done(lambda host: host.rights.remove(MAY_PUSH))),
        fails("in west it may read secrets", done(lambda host: host.rights.add(MAY_READ))),
        unclear(
            "shop has no members",
            done(without_members),
        ),
    ),
    *cases(
        has_no_rights,
        about(SHOP),
        passes("so it is in each", done(lambda host: host.rights.clear())),
        fails("in east it may push"),
        unclear(
            "shop has no members",
            done(without_members),
        ),
    ),
    *cases(
        view_is_right,
        about(),
        passes(""),
        fails("it says that shop/east is ready", done(lost("east", THE_CATALOGUE))),
        fails("it says that shop/west is failed", done(says("shop/west", Readiness.FAILED))),
        fails("keeps differs in ConfigMap", done(says("bank/west", Readiness.READY))),
        passes("", done(lost("east", THE_CATALOGUE), says("shop/east", Readiness.FAILED))),
        unclear("shop pushes nothing", done(nothing_pushed)),
    ),
    *cases(
        fight_is_named,
        about(ELSEWHERE, (PLATFORM, SHOP)),
        passes("west: ConfigMap shop/catalogue", done(pushes_the_catalogue)),
        fails("it says so of nothing"),
        unclear("shop/east is failed", done(says("shop/east", Readiness.FAILED))),
    ),
    *cases(
        catches_up,
        about(ONE),
        passes("it took", done(in_turn("shop/east", FAILED, FAILED, READY))),
        fails("shop/east is failed", done(in_turn("shop/east", FAILED))),
        unclear("to begin with"),
    ),
    *cases(
        undone_unasked,
        about(SHOP, "east"),
        passes("it took", done(missing_for(2))),
        fails(f"{THE_CATALOGUE} is missing", done(lost("east", THE_CATALOGUE))),
        unclear("nothing differs to begin with"),
        unclear("nothing differs to begin with", done(nothing_pushed)),
    ),
    *cases(
        notices_revocation,
        about(ONE),
        passes("noticed", done(in_turn("shop/east", READY, READY, REFUSED))),
        fails("shop/east is ready", done(in_turn("shop/east", READY))),
        fails("without a word of a credential", done(in_turn("shop/east", READY, FAILED))),
        fails(
            "shop/west has failed as well",
            done(
                in_turn("shop/east", READY, REFUSED),
                says("shop/west", Readiness.FAILED),
            ),
        ),
        unclear("to begin with it is failed", done(says("shop/east", Readiness.FAILED))),
    ),
    *cases(
        nothing_of_the_host,
        about(),
        passes("", holding()),
        fails("in west Secret n/one do", holding(west="address of host")),
        unclear("nothing in host is seen to tell of west either", holding(host="address of east")),
    ),
    *cases(
        denied_in,
        on((), topology=TOPOLOGY),
        passes(""),
        fails("503", failing(503, "UH", "")),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(denied_in, on(MEMBERS, topology=TOPOLOGY), fails("200")),
    *cases(denied_in, on((), topology="host-pushed-mesh"), passes("")),
    *cases(denied_in, on(("east",), topology="host-pushed-mesh"), fails("200")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hosts(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
