"""What is claimed of calls that go elsewhere and come back, by recorded streams."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.traffic.response import Response
from meshproof.traffic.stream_history import StreamCall
from suites.failover.claims import BACK, GONE, goes_over_and_back
from suites.failover.distribution import shared_out
from suites.failover.thin import THIN, Path, goes_on_over
from suites.failover.zones import Held, nearest_first
from tests.claims.changes import after, unlogged
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
from tests.doubles.streams import Change, broken, by, history, logged, within
from tests.doubles.streams import unlogged as without_line

NEAR, FAR = by("v1"), by("v2")
MARKS = ((GONE, 5.0, 6.0), (BACK, 40.0, 41.0))


def over(*changes: Change, seconds: float = 75.0) -> Setting:
    """A stream of one caller over a failure."""
    return Setting(
        lambda _: (
            history(NEAR, *changes, seconds=seconds, callers=["east"], marks=MARKS),
            "east",
            {"v1"},
            {"v2"},
        )
    )


def in_parts(first: int) -> Doing:
    """v1 answers so many of five calls, and v2 the rest."""

    def done(stage: Stage) -> None:
        ones, others = stage.world.servers("v1"), stage.world.servers("v2")
        stage.world.chosen = lambda call, _: ones if call.number % 5 < first else others

    return done


def held(*answered_by: str, status: int = 200) -> Setting:
    """What calls came to at a stage at which a pod of v2 is due."""
    responses = [Response("1", "east", status, None, "", "", 0.01, pod=one) for one in answered_by]
    return Setting(lambda _: ([Held("with one in the zone", {IN_ZONE}, responses)],))


def thinly(*changes: Change) -> Setting:
    """A stream of east's calls, v2's by a path that was thin for a while."""
    marks = ((THIN, 8.0, 16.0),)
    there = history(BY_PATH, *changes, callers=["east"], marks=marks)
    return Setting(lambda _: (there, Path("east", "west", {PATH})))


def by_path(call: StreamCall) -> StreamCall:
    """v2 is called by the path."""
    return logged(upstream_host=PATH)(call) if call.version == "v2" else call


def slow(call: StreamCall) -> StreamCall:
    """What goes by the path takes longer."""
    return replace(call, seconds=0.3) if call.version == "v2" else call


IN_ZONE, PATH, BY_PATH = "helloworld-v2-r0-z0-a", "10.9.9.9:15443", by_path
SHARED = Setting(lambda one: (one.world.sample,))
OVER = within(7, 42, FAR)
CASES = [
    *cases(
        shared_out,
        SHARED,
        passes(doing=in_parts(1)),
        fails("120 of 300 calls (40.0%)", in_parts(2)),
        fails("of 300 calls"),
        unclear(NO_LINE, after(in_parts(1), unlogged())),
    ),
    *cases(nearest_first, held(IN_ZONE, IN_ZONE), passes(f"{IN_ZONE} answered")),
    *cases(
        nearest_first,
        held(IN_ZONE, "helloworld-v1-b"),
        fails("helloworld-v1-b answered as well"),
    ),
    *cases(nearest_first, held(IN_ZONE, status=503), fails("with one in the zone: 1 did not")),
    *cases(nearest_first, held(), unclear("nobody called, or was due")),
    *cases(
        goes_on_over,
        thinly(within(8, 16, slow)),
        passes("50% of 200 (median 10 ms) before, 50% of 200 (median 300 ms) meanwhile"),
    ),
    *cases(
        goes_on_over,
        thinly(within(8, 16, logged(upstream_host="10.0.0.1:5000"))),
        fails("0% of 200 (median 0 ms) meanwhile"),
    ),
    *cases(goes_on_over, thinly(), unclear("10 ms before, 10 ms meanwhile")),
    *cases(
        goes_on_over,
        thinly(within(8, 16, without_line)),
        unclear("answered calls have no line in the log"),
    ),
    *cases(goes_over_and_back, over(OVER), passes("none of 3750 calls was lost")),
    *cases(
        goes_over_and_back,
        over(OVER, within(5, 7, broken)),
        passes("100 of 3750 calls were lost"),
    ),
    *cases(
        goes_over_and_back,
        over(within(2, 42, FAR)),
        fails("v2 answered east as well before anything was done"),
    ),
    *cases(
        goes_over_and_back,
        over(within(30, 42, FAR)),
        fails("v1 answered east as well once the near instances end"),
    ),
    *cases(
        goes_over_and_back,
        over(within(7, 99, FAR)),
        fails("v2 answered east as well once they are there again"),
    ),
    *cases(goes_over_and_back, over(OVER, within(30, 31, broken)), fails("50 of")),
    *cases(
        goes_over_and_back,
        over(OVER, seconds=61.1),
        unclear("calls once they are there again"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_failover(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
