"""What is claimed of the scope of configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from suites.scope.claims import each_governs_its_own, ignored, marks_of, obeyed
from tests.claims.changes import When, after, always, answering, changed, failing, unlogged
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
from tests.claims.world import Came
from tests.doubles.calls import Call

RULES = marks_of("west")


def marked(cluster: str, when: When = always) -> Doing:
    """helloworld is shown the header of that cluster's rules."""

    def mark(_: Call, came: Came) -> Came:
        body = f"{came.reply.body}x-configured-in: {cluster}\n"
        return replace(came, reply=replace(came.reply, body=body))

    return changed(mark, when)


def calls_of_east(call: Call) -> bool:
    return call.caller.cluster == "east"


def known_to_east(stage: Stage) -> None:
    name = RULES[0]["metadata"]["name"]
    world = stage.world
    world.dumps["sleep-east"] = [{"filename": f"/apis/virtual-service/{name}"}]


CASES = [
    *cases(
        obeyed,
        on("east", topology=REMOTE, before=answering("v2")),
        passes(doing=marked("east")),
        fails("bear no cluster's mark"),
        fails("bear west's mark", marked("west")),
        fails("answered otherwise", after(marked("east"), answering("v1"))),
        unclear(NO_LINE, after(marked("east"), unlogged())),
    ),
    *cases(
        each_governs_its_own,
        on({"east"}, topology=SPLIT),
        passes(doing=marked("east", calls_of_east)),
        fails("from west: 40 of 40 bear east's mark", marked("east")),
        fails("from east: 40 of 40 bear no cluster's mark"),
        unclear(NO_LINE, after(marked("east", calls_of_east), unlogged())),
    ),
    *cases(
        ignored,
        on(RULES, topology=REMOTE),
        passes(),
        fails("bear west's mark", marked("west")),
        fails("known: VirtualService in east", known_to_east),
        fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        unclear(NO_LINE, unlogged()),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_scope(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
