"""What is claimed of calls that went on while a mesh was changed, by recorded streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from meshproof.model import Mtls
from meshproof.traffic.response import Refused, Response
from meshproof.traffic.stream_history import StreamCall
from meshproof.traffic.stream_over import Found
from suites.change.claims import (
    AWAY,
    BACK,
    EDITED,
    JOINED,
    LEFT,
    UNDONE,
    Outside,
    followed,
    forgotten_and_read_again,
    kept_encrypted,
    left_and_joined,
    outsiders_met_the_mode,
    was_taken,
    went_over,
)
from tests.claims.table import Case, Setting, cases, fails, judge, passes, unclear
from tests.doubles.streams import (
    Change,
    broken,
    by,
    history,
    logged,
    of,
    unlogged,
    within,
)

PODS = {caller: {"helloworld-v1", "helloworld-v2"} for caller in ("east", "west")}
MARKS = ((AWAY, 5.0, 5.1), (BACK, 12.0, 12.1))


def away(*changes: Change) -> Setting:
    """A stream over a secret that was removed and given again."""
    return Setting(lambda _: (history(*changes, marks=MARKS), ["east"], ["v2"]))


def going(way: str, *changes: Change) -> Setting:
    return Setting(lambda _: (history(*changes), way))


def absent(*changes: Change, pods: Mapping[str, set[str]] = PODS) -> Setting:
    """A stream over a cluster that was no part of the mesh for a while, and what was to be seen."""
    marks = ((LEFT, 5.0, 5.1), (JOINED, 12.0, 12.1))
    shares = dict.fromkeys(("east", "west"), dict.fromkeys(("v1", "v2"), 0.5))
    way = {"10.0.0.1:5000"}
    ways = dict.fromkeys(("east", "west"), dict.fromkeys(("v1", "v2"), way))
    gone = {"east": ["v2"], "west": ["v1"]}
    return Setting(
        lambda _: (Found(history(*changes, seconds=40, marks=marks), shares, ways, pods), gone)
    )


def edited(*changes: Change) -> Setting:
    """A stream over meshNetworks that said another address for a while."""
    marks = ((EDITED, 5.0, 6.0), (UNDONE, 12.0, 14.0))
    there = history(*changes, marks=marks)
    return Setting(lambda _: (there, OTHER, "10.0.0.1:5000"))


def called(*changes: Change) -> Setting:
    return Setting(lambda _: (history(logged(upstream_peer=SERVER), *changes),))


def outside(**by_mode: Response) -> Setting:
    """What each of five calls came to, in a mode of the mesh."""
    stages = [Outside(Mtls(mode), f"with mTLS {mode}", [one] * 5) for mode, one in by_mode.items()]
    return Setting(lambda _: (stages,))


def moved(*changes: Change) -> Setting:
    """A stream over v1's move from east to west."""
    return Setting(lambda _: (history(*changes), "v1", "east", "west"))


def from_west(call: StreamCall) -> StreamCall:
    """v1's answers come from west."""
    return replace(call, cluster="west") if call.version == "v1" else call


OTHER = "10.0.0.2:5000"
BY_OTHER = within(5.5, 13, logged(upstream_host=OTHER))
SERVER = "spiffe://cluster.local/ns/sample/sa/helloworld"
RESET = Response("1", "east", None, Refused.RESET, "connection reset by peer", "", 0.01)
SILENT = Response("1", "east", None, Refused.TIMEOUT, "timed out", "", 5.0)
ANSWER = Response("1", "east", 200, None, "", "Hello", 0.01)
KNOWN = replace(ANSWER, identity=SERVER)
FORGOTTEN = of("east", within(6, 13, by("v1")))
APART = (FORGOTTEN, of("west", within(6, 13, by("v2"))))
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
    *cases(
        left_and_joined,
        absent(*APART),
        passes("it was forgotten after 1.0 s, and answered west again 1.0 s after it joins"),
    ),
    *cases(
        left_and_joined,
        absent(FORGOTTEN),
        fails("s before it joins the mesh again it still answered west"),
    ),
    *cases(
        left_and_joined,
        absent(*APART, of("west", within(13, 99, by("v2")))),
        fails("it did not answer west in 28 s after it joins the mesh again"),
    ),
    *cases(
        left_and_joined,
        absent(*APART, within(8, 9, broken)),
        fails("100 of 4000 calls were lost"),
    ),
    *cases(
        left_and_joined,
        absent(*APART, within(8, 9, logged(upstream_host="10.0.0.7:5000"))),
        fails("called v1 at 10.0.0.7:5000"),
    ),
    *cases(
        left_and_joined,
        absent(*APART, of("east", within(16, 22, by("v1")))),
        fails("v2 did not answer east for 6.0 s"),
    ),
    *cases(
        left_and_joined,
        absent(*APART, pods={**PODS, "west": {*PODS["west"], "helloworld-v1-new"}}),
        fails("helloworld-v1-new answered none of"),
    ),
    *cases(left_and_joined, absent(*APART, within(1, 2, broken)), unclear("lost before anything")),
    *cases(was_taken, going("10.0.0.1:5000"), passes("2000 of 2000 calls were sent there")),
    *cases(was_taken, going("10.9.9.9:15443"), fails("0 of 2000 calls were sent there")),
    *cases(was_taken, going("10.0.0.1:5000", unlogged), unclear("no call was answered and logged")),
    *cases(
        followed,
        edited(BY_OTHER),
        passes("once they had been edited 374 went in at 10.0.0.2:5000"),
    ),
    *cases(
        followed,
        edited(),
        fails("once they had been edited 374 of 374 requests went in at 10.0.0.1:5000"),
    ),
    *cases(
        followed,
        edited(within(5.5, 99, logged(upstream_host=OTHER))),
        fails("requests went in at 10.0.0.2:5000"),
    ),
    *cases(
        followed,
        edited(BY_OTHER, within(7, 12, logged(upstream_host="10.0.0.3:5000"))),
        unclear("once they had been edited 0 requests went through the gateway"),
    ),
    *cases(kept_encrypted, called(), passes("all of 2000 calls were")),
    *cases(
        kept_encrypted,
        called(of("west", within(6, 7, logged(upstream_peer="")))),
        fails("50 of 2000 calls were in plain text, the first of them from west 1.0 s after"),
    ),
    *cases(kept_encrypted, called(unlogged), unclear("no call was answered and logged")),
    *cases(
        outsiders_met_the_mode,
        outside(strict=RESET, permissive=ANSWER),
        passes("all of it"),
    ),
    *cases(
        outsiders_met_the_mode,
        outside(strict=RESET, permissive=RESET),
        fails("with mTLS permissive: 5 did not: 5 x connection reset"),
    ),
    *cases(
        outsiders_met_the_mode,
        outside(strict=ANSWER, permissive=ANSWER),
        fails("with mTLS strict: 5 x 200"),
    ),
    *cases(
        outsiders_met_the_mode,
        outside(strict=SILENT, permissive=ANSWER),
        fails("with mTLS strict: 5 x no answer in time"),
    ),
    *cases(
        outsiders_met_the_mode,
        outside(strict=RESET, permissive=KNOWN),
        fails(f"with mTLS permissive: it took a caller without a sidecar for {SERVER}"),
    ),
    *cases(
        outsiders_met_the_mode,
        Setting(lambda _: ([Outside(Mtls.STRICT, "before", [])],)),
        unclear("before: no calls"),
    ),
    *cases(
        went_over,
        moved(within(5.5, 99, from_west)),
        passes("252 answers came from east, and 696 from west afterwards"),
    ),
    *cases(went_over, moved(), fails("it answered from east afterwards")),
    *cases(went_over, moved(from_west), fails("it answered from west before")),
    *cases(
        went_over,
        moved(within(5.5, 99, by("v2"))),
        unclear("it answered 252 calls before, and 0 afterwards"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_change(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
