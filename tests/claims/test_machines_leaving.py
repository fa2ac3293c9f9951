"""What is claimed of machines that leave, are taken out, or stand behind one name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.expect import Outcome, Verdict
from meshproof.faults.tokens import user_of
from meshproof.traffic.stream_history import StreamCall
from suites.machines import group, tokens
from suites.machines.alone_claims import goes_on_alone
from suites.machines.group_claims import answer_as_one
from suites.machines.health_claims import taken_in, taken_out
from suites.machines.leaving_claims import Left, costs_little
from suites.machines.membership_claims import refused_for_its_account, refused_for_its_age
from suites.machines.tokens_claims import good_but_for_its_time
from tests.claims.changes import after, answering, changed, failing, logged, unlogged
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
    passes,
    unclear,
)
from tests.claims.test_machines import ENTRY, TOPOLOGY, about, entries, said_by_istiod
from tests.claims.world import Came
from tests.doubles.calls import Call
from tests.doubles.streams import Change, broken, history, within

GONE = Verdict(Outcome.PASS, "the entry to go", "gone")
STAYS = Verdict(Outcome.FAIL, "the entry to go", "that of shop is still there")
MARKS = (("shop is killed", 5.0, 5.1),)


def by_the_machine(call: StreamCall) -> StreamCall:
    """What v2 would have answered, v3 on shop did."""
    return replace(call, version="v3", pod="shop") if call.version == "v2" else call


def left(*changes: Change, entry: Verdict = GONE, seconds: float = 20.0) -> Setting:
    """A stream over the leaving of shop at 5 s, whose entry may last for 10 s; until 12 s it still
    answers now and then."""

    def of(stage: Stage) -> tuple[object, ...]:
        there = within(0, 12, by_the_machine)
        found = history(there, *changes, marks=MARKS, seconds=seconds)
        return stage.world.sample, "shop", Left(found, entry, 10.0)

    return Setting(of, TOPOLOGY)


def healthy(said: str | None, *, connected: bool = True) -> Doing:
    """The machine's WorkloadEntry says of its health what is said, or nothing."""
    conditions = [{"type": "Healthy", "status": said}] if said else []
    metadata = ENTRY["metadata"] if connected else {}
    return entries({**ENTRY, "metadata": metadata, "status": {"conditions": conditions}})


def in_group(*machines: str, connected: bool = True) -> Doing:
    """These machines, and no others, have registered themselves as of the group."""

    def done(stage: Stage) -> None:
        entry = ENTRY if connected else {**ENTRY, "metadata": {}}
        found = {str(stage.world.machines[one].address): entry for one in machines}
        everywhere(stage.monkeypatch, group.members, lambda *_: found)

    return done


def as_shop(*machines: str) -> Doing:
    """These machines answer, as shop's account."""

    def renamed(_: Call, came: Came) -> Came:
        return came.logged(upstream_peer="spiffe://cluster.local/ns/sample/sa/shop")

    def chosen(stage: Stage) -> None:
        there: list[Any] = [stage.world.machines[one] for one in machines]
        stage.world.chosen = lambda *_: there

    return after(chosen, changed(renamed))


def istiods(*there: object) -> Doing:
    """The istiods that run."""

    def done(stage: Stage) -> None:
        stage.monkeypatch.setattr(
            "suites.machines.alone_claims.list_workloads", lambda *_, **__: list(there)
        )

    return done


def reviewed(good: str, late: str) -> Doing:
    """What the API server says of the two tokens."""
    said = {"good": good, "late": late}
    return lambda stage: everywhere(
        stage.monkeypatch, tokens.reviewed, lambda _, token: said[token]
    )


def unnamed(_: Call, came: Came) -> Came:
    return replace(came, reply=replace(came.reply, body="Hello"))


SHOPS = user_of("shop", "sample")
EXPIRED = "[invalid bearer token, service account token has expired]"
BOTH = after(in_group("shop", "depot"), as_shop("shop", "depot"))
CASES = [
    *cases(costs_little, left(), passes("calls were answered by others")),
    *cases(costs_little, left(within(6, 14, broken)), passes("calls were lost")),
    *cases(costs_little, left(within(6, 16, broken)), fails("were lost later")),
    *cases(costs_little, left(entry=STAYS), fails("of shop is still there")),
    *cases(costs_little, left(within(12, 20, by_the_machine)), fails("shop answered")),
    *cases(costs_little, left(seconds=14.0), unclear("the stream ended")),
    *cases(
        taken_out,
        about("shop"),
        passes("", after(healthy("False"), answering("v1", "v2", "v4"))),
        fails("shop is said to be healthy", after(healthy("True"), answering("v1", "v2", "v4"))),
        fails("neither healthy", after(healthy(None), answering("v1", "v2", "v4"))),
        fails("by v3", healthy("False")),
        fails(
            "shop is not registered",
            after(healthy("False", connected=False), answering("v1", "v2", "v4")),
        ),
        unclear("nobody knows who served them", after(healthy("False"), changed(unnamed))),
    ),
    *cases(
        taken_in,
        about("shop"),
        passes("", healthy("True")),
        fails("shop is said to be unhealthy", healthy("False")),
        fails(
            "upstream_host is 10.9.9.9",
            after(healthy("True"), logged(upstream_host="10.9.9.9:5000")),
        ),
        unclear("no calls", after(healthy("True"), answering("v1"))),
    ),
    *cases(
        answer_as_one,
        about("shop", ["shop", "depot"]),
        passes("", BOTH),
        fails("depot is not registered there", after(in_group("shop"), as_shop("shop", "depot"))),
        fails(
            "or not connected", after(in_group("shop", "depot", connected=False), as_shop("shop"))
        ),
        fails(
            "is there as well", after(in_group("shop", "depot", "till"), as_shop("shop", "depot"))
        ),
        fails("depot did not answer east", after(in_group("shop", "depot"), as_shop("shop"))),
        fails("was answered as", after(in_group("shop", "depot"), answering("v3", "v4"))),
        fails("503", after(BOTH, failing(503, "UH", "no_healthy_upstream"))),
        unclear("in its proxy's log", after(BOTH, unlogged())),
    ),
    *cases(
        answer_as_one,
        about("shop", ["shop"]),
        passes("", after(in_group("shop"), as_shop("shop"))),
        fails("depot answered east", after(in_group("shop"), as_shop("shop", "depot"))),
    ),
    *cases(
        goes_on_alone,
        about("shop"),
        passes("", istiods()),
        fails("shop: ", after(istiods(), failing(503, "UF", "upstream_reset"))),
        unclear("istiod-1", istiods("istiod-1")),
        unclear(NO_LINE, after(istiods(), unlogged())),
    ),
    *cases(
        refused_for_its_age,
        about("shop"),
        passes("has expired", after(entries(None), said_by_istiod(f"error {EXPIRED}"))),
        fails("shop was let in", said_by_istiod("")),
        unclear("neither let in nor refused", after(entries(None), said_by_istiod("no"))),
    ),
    *cases(
        refused_for_its_account,
        about("shop", "sleep"),
        passes(
            "mismatch",
            after(entries(None), said_by_istiod('service account mismatch: "sleep" vs "shop"')),
        ),
        fails("shop was let in", said_by_istiod("")),
        unclear("neither let in nor refused", after(entries(None), said_by_istiod(""))),
    ),
    *cases(
        good_but_for_its_time,
        about("shop", "good", "late"),
        passes(SHOPS, reviewed(SHOPS, EXPIRED)),
        unclear("invalid bearer token", reviewed("[invalid bearer token]", EXPIRED)),
        unclear("and of the other", reviewed(SHOPS, SHOPS)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_machines(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
