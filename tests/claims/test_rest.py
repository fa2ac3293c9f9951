"""What is claimed of calls that went on while nothing was done, by recorded streams."""

from __future__ import annotations

import pytest

from suites.rest.claims import NOTHING, went_on
from tests.claims.table import Case, Setting, cases, judge, passes, unclear
from tests.doubles.streams import history


def rested(seconds: float) -> Setting:
    """A stream of so many seconds, in all but the first four of which nothing is done."""
    marks = ((NOTHING, 4.0, seconds),)
    return Setting(lambda _: (history(seconds=seconds, marks=marks), 30.0))


CASES = [
    *cases(went_on, rested(35.0), passes("calls were made for 31 s")),
    *cases(went_on, rested(20.0), unclear("calls were made for 16 s")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rest(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
