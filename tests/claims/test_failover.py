"""What is claimed of calls that go elsewhere and come back, by recorded streams."""

from __future__ import annotations

import pytest

from suites.failover.claims import BACK, GONE, goes_over_and_back
from suites.failover.distribution import shared_out
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
from tests.doubles.streams import Change, broken, by, history, within

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
