"""What is claimed of calls that went on while a mesh was changed, by recorded streams."""

from __future__ import annotations

import pytest

from suites.change.claims import (
    AWAY,
    BACK,
    forgotten_and_read_again,
    was_taken,
)
from tests.claims.table import Case, Setting, cases, fails, judge, passes, unclear
from tests.doubles.streams import Change, broken, by, history, of, unlogged, within

MARKS = ((AWAY, 5.0, 5.1), (BACK, 12.0, 12.1))


def away(*changes: Change) -> Setting:
    """A stream over a secret that was removed and given again."""
    return Setting(lambda _: (history(*changes, marks=MARKS), ["east"], ["v2"]))


def going(way: str, *changes: Change) -> Setting:
    return Setting(lambda _: (history(*changes), way))


FORGOTTEN = of("east", within(6, 13, by("v1")))
CASES = [
    *cases(
        forgotten_and_read_again,
        away(FORGOTTEN),
        passes("it was forgotten after 0.9 s, and answered east again 1.0 s after"),
    ),
    *cases(forgotten_and_read_again, away(), fails("s before it is given again it still answered")),
    *cases(
        forgotten_and_read_again,
        away(of("east", within(6, 99, by("v1")))),
        fails("it did not answer east in 8 s after it is given again"),
    ),
    *cases(
        forgotten_and_read_again,
        away(FORGOTTEN, within(6, 7, broken)),
        fails("100 of 2000 calls were lost"),
    ),
    *cases(forgotten_and_read_again, away(within(1, 2, broken)), unclear("lost before anything")),
    *cases(was_taken, going("10.0.0.1:5000"), passes("2000 of 2000 calls were sent there")),
    *cases(was_taken, going("10.9.9.9:15443"), fails("0 of 2000 calls were sent there")),
    *cases(was_taken, going("10.0.0.1:5000", unlogged), unclear("no call was answered and logged")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_change(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
