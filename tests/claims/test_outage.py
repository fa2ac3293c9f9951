"""What is claimed of calls that went on while a part of a mesh was away, by recorded streams."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.traffic.stream_history import StreamCall
from suites.outage.claims import answered_all_along
from tests.claims.table import Case, Setting, cases, fails, judge, passes, unclear
from tests.doubles.streams import Change, broken, history, of, within


def during(*changes: Change) -> Setting:
    return Setting(lambda _: (history(*changes), ["east", "west"]))


def stalled(call: StreamCall) -> StreamCall:
    """The call set out late, and had no answer."""
    return replace(broken(call), late=1.5)


CASES = [
    *cases(
        answered_all_along,
        during(of("east", within(6, 7, broken))),
        passes("the longest time without one was 1.0 s"),
    ),
    *cases(
        answered_all_along,
        during(of("west", within(6, 9, broken))),
        fails("west had none for 3.0 s, from 1.0 s after 'rotated' began"),
    ),
    *cases(
        answered_all_along,
        during(of("east", within(17, 99, broken))),
        fails("east had none for 3.0 s"),
    ),
    *cases(answered_all_along, during(of("west", broken)), unclear("west had none at all")),
    *cases(
        answered_all_along,
        during(of("west", within(6, 9, stalled))),
        unclear("west had none for 3.0 s, in which it made its calls late"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_outage(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
