"""What is claimed of the kinds of match that a route can have."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from suites.matches.claims import taken_and_left
from suites.matches.kinds import (
    DEFAULT,
    HEADERS,
    KINDS,
    MARK,
    METHOD,
    OTHER_PORT,
    PORT_ASKED,
    QUERY,
    URIS,
)
from tests.claims.changes import after, changed, failing, retried, unlogged
from tests.claims.table import NO_LINE, Case, Doing, Stage, cases, fails, judge, on, passes, unclear
from tests.claims.world import Came
from tests.doubles.calls import Call
from tests.doubles.played import PlayedPod

TAKEN: dict[str, Callable[[Call], bool]] = {
    "uri-exact": lambda one: one.path == "/exact",
    "uri-prefix": lambda one: one.path.startswith("/prefix/"),
    "uri-regex": lambda one: re.fullmatch("/regex/[0-9]+", one.path) is not None,
    "method": lambda one: one.path == "/method" and one.method == "PUT",
    "query": lambda one: one.path == "/query" and "user=jason" in one.query.split("&"),
    "port": lambda one: one.path == "/port" and one.port == OTHER_PORT,
    "header-regex": lambda one: (
        one.path == "/header"
        and re.fullmatch("j[a-z]+n", one.headers.get("x-user", "")) is not None
    ),
    "header-absent": lambda one: one.path == "/absent" and "x-user" not in one.headers,
}
"""What each route should take."""
ASKED = {"uri": URIS, "method": [METHOD], "query": [QUERY], "port": [PORT_ASKED], "header": HEADERS}


def by_routes(**otherwise: Callable[[Call], bool]) -> Doing:
    """The routes are in force, some of which take ``otherwise``."""
    taken = TAKEN | {name.replace("_", "-"): takes for name, takes in otherwise.items()}

    def route(call: Call) -> str:
        return next((name for name, takes in taken.items() if takes(call)), DEFAULT)

    def done(stage: Stage) -> None:
        by_version = {one.version: one for one in stage.world.servers()}

        def chosen(call: Call, _: list[PlayedPod]) -> list[PlayedPod]:
            return [by_version["v1" if route(call) == DEFAULT else "v2"]]

        def mark(call: Call, came: Came) -> Came:
            body = f"{came.reply.body}{MARK}: {route(call)}\n"
            return replace(came, reply=replace(came.reply, body=body))

        stage.world.chosen = chosen
        changed(mark)(stage)

    return done


def unrouted(call: Call, came: Came) -> Came:
    """Nobody tells by which route a request came."""
    body = came.reply.body.rpartition(f"{MARK}: ")[0]
    return replace(came, reply=replace(came.reply, body=body))


WELL = by_routes()
CASES = [
    *cases(
        taken_and_left,
        on(KINDS),
        passes(doing=WELL),
        fails("went by the route of nobody", after(WELL, changed(unrouted))),
        fails("1 x 503 [NC]", after(WELL, failing(503, "NC", "cluster_not_found"))),
        fails("a hidden retry", after(WELL, retried())),
        unclear(NO_LINE, after(WELL, unlogged())),
    )
]
EXACT = "GET http://matched.sample:5000/exact/more from east: 4 of 4 went by the route uri-exact"
WRONG = [
    *cases(
        taken_and_left,
        on(ASKED["uri"]),
        fails(EXACT, by_routes(uri_exact=lambda one: one.path.startswith("/exact"))),
        fails("went by the route uri-prefix", by_routes(uri_prefix=lambda one: "/pre" in one.path)),
        fails("went by the route uri-regex", by_routes(uri_regex=lambda one: "/reg" in one.path)),
        fails("went by the route default", by_routes(uri_regex=lambda _: False)),
    ),
    *cases(
        taken_and_left,
        on(ASKED["method"]),
        fails("went by the route method", by_routes(method=lambda _: True)),
        fails("went by the route default", by_routes(method=lambda _: False)),
    ),
    *cases(
        taken_and_left,
        on(ASKED["query"]),
        fails("went by the route query", by_routes(query=lambda one: "jason" in one.query)),
        fails("went by the route default", by_routes(query=lambda _: False)),
    ),
    *cases(
        taken_and_left,
        on(ASKED["port"]),
        fails("went by the route port", by_routes(port=lambda one: one.path == "/port")),
        fails("went by the route default", by_routes(port=lambda _: False)),
    ),
    *cases(
        taken_and_left,
        on(ASKED["header"]),
        fails(
            "went by the route header-regex",
            by_routes(header_regex=lambda one: "j" in one.headers.get("x-user", "")),
        ),
        fails(
            "went by the route header-absent",
            by_routes(header_absent=lambda one: one.path == "/absent"),
        ),
    ),
]


@pytest.mark.parametrize("case", CASES + WRONG, ids=str)
def test_matches(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
