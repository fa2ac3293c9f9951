"""What is claimed of calls that went on while a part of a mesh was away, by recorded streams."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.traffic.stream_history import StreamCall
from suites.outage.claims import (
    NAMED,
    UNNAMED,
    Tried,
    answered_all_along,
    refused_then_came,
    was_missing,
)
from tests.claims.table import Case, Setting, cases, fails, judge, passes, unclear
from tests.doubles.streams import Change, broken, by, history, of, within


def during(*changes: Change) -> Setting:
    return Setting(lambda _: (history(*changes), ["east", "west"]))


def stalled(call: StreamCall) -> StreamCall:
    """The call set out late, and had no answer."""
    return replace(broken(call), late=1.5)


def unnamed(*changes: Change) -> Setting:
    """A stream over gateways whose names were unknown for a while."""
    marks = ((UNNAMED, 3.0, 5.0), (NAMED, 12.0, 13.0))
    return Setting(lambda _: (history(*changes, marks=marks), "east", "v2"))


def tried(**fields: object) -> Setting:
    """A pod that was refused, and then came, but for what is said otherwise."""
    return Setting(lambda _: (replace(REFUSED, **fields),))  # type: ignore[arg-type]


REFUSED = Tried("v1", "failed calling webhook: no endpoints available", (), 12.3, 60.0, True)
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
    *cases(answered_all_along, Setting(lambda _: (history(), [])), unclear("nobody called")),
    *cases(was_missing, unnamed(within(4, 14, by("v1"))), passes("it answered 0 of 187 calls")),
    *cases(was_missing, unnamed(within(4, 11, by("v1"))), unclear("it answered 19 of 187 calls")),
    *cases(was_missing, unnamed(within(4, 14, broken)), unclear("0 calls were answered then")),
    *cases(refused_then_came, tried(), passes("no endpoints available), and ready after 12.3 s")),
    *cases(
        refused_then_came,
        tried(pods=("helloworld-v1-new",)),
        fails("helloworld-v1-new came without istiod"),
    ),
    *cases(refused_then_came, tried(seconds=None), fails("was not ready 60 s later")),
    *cases(refused_then_came, tried(sidecar=False), fails("came without a sidecar")),
    *cases(refused_then_came, tried(refusal="exceeded quota"), unclear("exceeded quota")),
    *cases(refused_then_came, tried(refusal=""), unclear("nothing was said")),
    *cases(
        answered_all_along,
        during(of("west", within(6, 9, stalled))),
        unclear("west had none for 3.0 s, in which it made its calls late"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_outage(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
