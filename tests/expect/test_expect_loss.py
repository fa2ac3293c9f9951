"""Verdicts on streams, each seen to hold, to fail, and to be unclear."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.expect import Outcome, Verdict
from meshproof.expect.loss import (
    all_heard,
    kept_to_ways,
    lost_only_until,
    nobody_missing,
    nothing_lost,
    of_a_stream,
    sound,
)
from meshproof.traffic.stream_history import CallKind, History, StreamCall
from tests.doubles.streams import BEGIN, broken, by, history, of, unlogged, within

HALF = {"v1": 0.5, "v2": 0.5}
SHARES = {"east": HALF, "west": HALF}
PODS = ("helloworld-v1", "helloworld-v2")


def late(call: StreamCall) -> StreamCall:
    return replace(call, late=1.2)


def unmade(call: StreamCall) -> StreamCall:
    return replace(call, unmade=True, status=0, version="")


def told(verdict: Verdict) -> str:
    return f"{verdict.outcome.value} {verdict.observed}"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (history(counts={"east": 1000, "west": None}), "from west the stream was broken off"),
        (history(counts={"east": 1000, "west": 1001}), "1000 of 1001 calls are written down"),
        (history(within(7, 8, unmade)), "50 calls were not made"),
        (history(within(7, 9, late)), "100 of 1000 calls set out too late"),
        (history(marks=[("rotated", 0.1, 1)]), "only 5 calls were made before"),
        (history(within(3, 4, broken)), "calls were lost before anything was done"),
        (history(within(7, 8, unlogged)), "50 answered calls have no line"),
        (History([], [], {"east": 0}, 50.0), "0 of 0 calls are written down"),
    ],
)
def test_what_a_stream_cannot_tell(given: History, words: str) -> None:
    verdict = sound(given)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert words in verdict.observed


def test_a_sound_stream_tells_what_was_done() -> None:
    verdict = of_a_stream(history(), [nothing_lost(history())])
    assert verdict.outcome is Outcome.PASS
    assert verdict.evidence["done"] == "rotated (5.0 to 6.0 s)"


def test_calls_under_way_when_the_change_began_are_no_loss_before_it() -> None:
    slow = within(4.9, 5, lambda one: replace(broken(one), seconds=1.0))
    assert sound(history(slow)).outcome is Outcome.PASS
    assert nothing_lost(history(slow)).outcome is Outcome.FAIL


def test_nothing_lost() -> None:
    assert told(nothing_lost(history())) == "PASS none of 2000 calls was lost"
    verdict = nothing_lost(history(of("west", within(7, 9, broken))))
    assert told(verdict).startswith("FAIL 100 of 2000 calls were lost (25 x http-fresh: ")
    assert "from 2.0 s after 'rotated' began to 4.0 s after" in verdict.observed
    assert "the longest outage 2.0 s from west" in verdict.observed


def test_what_may_be_lost_for_a_while() -> None:
    assert told(lost_only_until(history(within(5, 9, broken)), 5)).startswith("PASS 400 of 2000")
    verdict = lost_only_until(history(within(5, 15, broken)), 5)
    assert told(verdict).startswith("FAIL 398 were lost later")
    assert told(lost_only_until(history(), 60)).startswith("INCONCLUSIVE the stream ended 14 s")


def test_a_version_that_is_missing_for_a_while() -> None:
    assert nobody_missing(history(), SHARES, {}).outcome is Outcome.PASS
    verdict = nobody_missing(history(of("west", within(8, 12, by("v1")))), SHARES, {})
    assert told(verdict).startswith("FAIL v2 did not answer west for 4.")
    assert "calls were all answered by others" in verdict.observed
    never = nobody_missing(history(by("v1")), SHARES, {})
    assert told(never) == "FAIL v2 did not answer east once in 1000 calls"


def test_a_short_run_is_chance() -> None:
    assert nobody_missing(history(within(8, 8.5, by("v1"))), SHARES, {}).outcome is Outcome.PASS


def test_versions_behind_one_gateway_are_met_by_connections() -> None:
    """Requests stay with who their connection leads to: how many there are tells nothing."""
    pinned = history(of("west", seldom_by_v2))
    assert nobody_missing(pinned, SHARES, {}).outcome is Outcome.FAIL
    assert nobody_missing(pinned, SHARES, {"west": ("v1", "v2")}).outcome is Outcome.PASS
    gone = history(of("west", within(8, 13, by("v1"))))
    verdict = nobody_missing(gone, SHARES, {"west": ("v1", "v2")})
    assert told(verdict).startswith("FAIL v2 did not answer west for 5.0 s")


def seldom_by_v2(call: StreamCall) -> StreamCall:
    """Only connections of one second in four are led to v2."""
    led = call.kind is CallKind.TCP_FRESH and int(call.at - BEGIN) % 4 == 0
    return by("v2" if led else "v1")(call)


def test_nobody_due_tells_nothing() -> None:
    assert nobody_missing(history(), {}, {}).outcome is Outcome.INCONCLUSIVE
    nobody: dict[str, set[str]] = {"east": set()}
    assert all_heard(history(), nobody, BEGIN, "at the end").outcome is Outcome.INCONCLUSIVE


def test_pods_that_must_be_heard() -> None:
    both = {"east": PODS, "west": PODS}
    heard = all_heard(history(), both, BEGIN + 10, "at the end")
    assert heard.outcome is Outcome.PASS
    silent = all_heard(history(within(10, 99, by("v1"))), both, BEGIN + 10, "at the end")
    assert told(silent) == "FAIL helloworld-v2 answered none of 375 calls from east"
    more = all_heard(history(), {"west": PODS[:1]}, BEGIN + 10, "at the end")
    assert told(more) == "FAIL helloworld-v2 answered west as well"
    few = all_heard(history(within(19, 99, by("v1"))), both, BEGIN + 19.5, "at the end")
    assert told(few).startswith("INCONCLUSIVE east had only 19 answers")


def test_ways_that_were_taken() -> None:
    own = {version: ["10.0.0.1:5000"] for version in ("v1", "v2")}
    right = kept_to_ways(history(), {"east": own, "west": own})
    assert told(right) == "PASS 1000 requests went their ways"
    wrong = kept_to_ways(history(), {"east": own, "west": {**own, "v2": ["10.9.9.9:15443"]}})
    assert told(wrong).startswith("FAIL west called v2 at 10.0.0.1:5000, and it is to be called at")
    assert told(kept_to_ways(history(unlogged), {})).startswith("INCONCLUSIVE no request")
