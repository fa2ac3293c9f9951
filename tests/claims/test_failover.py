"""What is claimed of calls that go elsewhere and come back, by recorded streams."""

from __future__ import annotations

import pytest

from suites.failover.claims import BACK, GONE, goes_over_and_back
from tests.claims.table import Case, Setting, cases, fails, judge, passes, unclear
from tests.doubles.streams import Change, broken, by, history, within

NEAR, FAR = by("v1"), by("v2")
MARKS = ((GONE, 5.0, 6.0), (BACK, 25.0, 26.0))


def over(*changes: Change, seconds: float = 45.0) -> Setting:
    """A stream of one caller over a failure."""
    return Setting(
        lambda _: (
            history(NEAR, *changes, seconds=seconds, callers=["east"], marks=MARKS),
            "east",
            {"v1"},
            {"v2"},
        )
    )


OVER = within(7, 27, FAR)
CASES = [
    *cases(goes_over_and_back, over(OVER), passes("none of 2250 calls was lost")),
    *cases(
        goes_over_and_back,
        over(OVER, within(5, 7, broken)),
        passes("100 of 2250 calls were lost"),
    ),
    *cases(
        goes_over_and_back,
        over(within(2, 27, FAR)),
        fails("v2 answered east as well before anything was done"),
    ),
    *cases(
        goes_over_and_back,
        over(within(20, 27, FAR)),
        fails("v1 answered east as well once the near instances end"),
    ),
    *cases(
        goes_over_and_back,
        over(within(7, 99, FAR)),
        fails("v2 answered east as well once they are there again"),
    ),
    *cases(goes_over_and_back, over(OVER, within(18, 19, broken)), fails("50 of")),
    *cases(
        goes_over_and_back,
        over(OVER, seconds=36.1),
        unclear("calls once they are there again"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_failover(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
