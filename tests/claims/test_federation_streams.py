"""What is claimed of calls that go on while a provider's gateway moves, by recorded streams."""

from __future__ import annotations

import pytest

from meshproof.traffic.stream_over import Found
from suites.federation.streams import MOVED, RENEWED, lost_until_renewed
from tests.claims.table import Case, Setting, cases, fails, judge, passes, unclear
from tests.doubles.streams import Change, broken, by, history, logged, unlogged, within

MARKS = ((MOVED, 5.0, 6.0), (RENEWED, 18.0, 18.5))
OLD, NEW = "172.30.2.200:15443", "172.30.2.201:15443"
END = 50.0


def moved(*changes: Change) -> Setting:
    """A stream of east's to west, whose gateway has moved."""
    told = history(
        by("v2"), logged(upstream_host=OLD), *changes, seconds=END, callers=["east"], marks=MARKS
    )
    due = {"east": {"v2": 1.0}}, {"east": {"v2": {OLD, NEW}}}, {"east": {"helloworld-v2"}}
    return Setting(lambda _: (Found(told, *due),))


LOST = within(6.0, 20.0, broken)
"""From the move until just after entries are renewed."""
RENEWED_THEN = within(20.0, END, logged(upstream_host=NEW))

CASES = [
    *cases(lost_until_renewed, moved(LOST, RENEWED_THEN), passes("700 of 2500 calls were lost")),
    *cases(lost_until_renewed, moved(RENEWED_THEN), fails("500 of 500 were answered")),
    *cases(lost_until_renewed, moved(within(6.0, END, broken)), fails("824 were lost later")),
    *cases(
        lost_until_renewed,
        moved(LOST, within(45.0, END, by("v1"))),
        fails("v2 did not answer east for"),
    ),
    *cases(
        lost_until_renewed,
        moved(LOST, within(20.0, END, logged(upstream_host="172.30.2.9:15443"))),
        fails("east called v2 at 172.30.2.9:15443"),
    ),
    *cases(lost_until_renewed, moved(LOST, within(0.0, 9.0, broken)), unclear("before anything")),
    *cases(lost_until_renewed, moved(LOST, within(20.0, END, unlogged)), unclear("have no line")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_federation_streams(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
