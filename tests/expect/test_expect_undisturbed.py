"""What a change has cost, by recorded streams."""

from __future__ import annotations

import pytest

from meshproof.expect import Verdict
from meshproof.expect.undisturbed import recovered, rode_out, unnoticed
from meshproof.traffic.stream_history import StreamCall
from meshproof.traffic.stream_over import Found
from tests.doubles.streams import Change, broken, by, history, of, unlogged, within

HALF = {"v1": 0.5, "v2": 0.5}
HERE, ELSEWHERE = {"10.0.0.1:5000"}, {"10.9.9.9:15443"}
BOTH = {"helloworld-v1", "helloworld-v2"}


def over(*changes: Change, ways: set[str] = HERE) -> Found:
    known = {"v1": HERE, "v2": ways}
    shares = {"east": HALF, "west": HALF}
    return Found(history(*changes), shares, {"east": known, "west": known}, {"east": BOTH})


def of_v2(change: Change) -> Change:
    """The change for every other call that v2 would have answered."""

    def changed(call: StreamCall) -> StreamCall:
        return change(call) if call.version == "v2" and call.number % 16 < 8 else call

    return changed


def told(verdict: Verdict) -> str:
    return f"{verdict.outcome.value} {verdict.observed}"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (over(), "PASS none of 2000 calls was lost; the longest time without"),
        (over(within(7, 9, broken)), "FAIL 200 of 2000 calls were lost"),
        (over(within(7, 12, by("v1"))), "FAIL v2 did not answer east for 5."),
        (over(of("east", within(19.3, 99, broken))), "FAIL 34 of 2000 calls were lost"),
        (over(ways=ELSEWHERE), "FAIL east called v2 at 10.0.0.1:5000, and it is to be called at"),
        (over(within(7, 8, unlogged)), "INCONCLUSIVE the control did not hold"),
    ],
)
def test_what_nobody_is_to_notice(found: Found, words: str) -> None:
    assert told(unnoticed(found)).startswith(words)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (over(within(5, 9, broken)), "PASS 400 of 2000 calls were lost"),
        (over(within(5, 15, broken)), "FAIL 398 were lost later"),
        (over(within(13, 19, by("v1"))), "FAIL v2 did not answer east for"),
        (over(within(1, 2, broken)), "INCONCLUSIVE the control did not hold"),
    ],
)
def test_what_is_to_recover(found: Found, words: str) -> None:
    assert told(recovered(found, within=5.0)).startswith(words)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (over(within(5, 9, of_v2(broken))), "PASS 96 of 2000 calls were lost"),
        (over(within(5, 15, of_v2(broken))), "FAIL 98 were lost later"),
        (over(within(5, 9, by("v1"))), "FAIL v2 did not answer east for 4."),
        (over(of("east", within(14, 99, by("v1")))), "FAIL v2 did not answer east for"),
        (over(within(1, 2, broken)), "INCONCLUSIVE the control did not hold"),
    ],
)
def test_what_is_to_be_ridden_out(found: Found, words: str) -> None:
    assert told(rode_out(found, within=5.0)).startswith(words)
