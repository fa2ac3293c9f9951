"""What is reckoned from a stream's calls."""

from __future__ import annotations

import pytest

from meshproof.traffic.stream_history import (
    History,
    is_contiguous,
    kinds_of_loss,
    latency,
    longest_without,
)
from meshproof.traffic.stream_timeline import timeline
from tests.doubles.streams import BEGIN, broken, by, history, of, refused, within


def test_a_sound_stream_has_lost_nothing() -> None:
    found = history()
    assert found.lost == () and found.outage is None
    assert {name: len(calls) for name, calls in found.phases.items()} == {
        "before": 500,
        "during": 100,
        "after": 1400,
    }


def test_the_longest_outage_is_of_one_caller_and_one_kind_of_calls() -> None:
    found = history(of("west", within(7, 9.5, refused)), of("east", within(12, 12.5, broken)))
    assert found.outage is not None
    assert found.outage.caller == "west"
    assert found.outage.seconds == pytest.approx(2.5, abs=0.1)
    assert found.outage.begin - BEGIN == pytest.approx(7, abs=0.1)


def test_an_outage_that_does_not_end_lasts_to_the_end() -> None:
    found = history(within(15, 99, broken))
    assert found.outage is not None
    assert found.outage.seconds == pytest.approx(5, abs=0.2)


def test_losses_are_counted_by_kind_and_flag() -> None:
    found = history(of("west", within(7.01, 8.01, refused)))
    assert kinds_of_loss(found.lost) == "13 x http-kept: 503 UF, 12 x http-fresh: 503 UF"


def test_moments_are_told_by_what_was_done() -> None:
    found = history()
    assert found.relative(BEGIN + 7.5) == "2.5 s after 'rotated' began"
    assert found.relative(BEGIN + 4) == "1.0 s before anything was done"


def test_the_longest_run_without_a_version() -> None:
    found = history(within(8, 10, by("v1")))
    run = longest_without(found.of("east"), lambda one: one.version == "v2")
    assert run[-1].at - run[0].at == pytest.approx(2, abs=0.2)
    assert all(one.kind.chooses for one in run)
    assert len(longest_without(history().of("east"), lambda one: one.version == "v2")) <= 4


def test_runs_of_nothing_are_empty() -> None:
    assert longest_without([], lambda _: True) == []


def test_latencies() -> None:
    assert latency(history().calls) == "median 10 ms, 99 of 100 within 10 ms"
    assert latency([]) == "none answered"


@pytest.mark.parametrize(
    ("numbers", "whole"), [([], False), ([1, 0], True), ([1, 2], False), ([0, 2], False)]
)
def test_holes_are_noticed(numbers: list[int], whole: bool) -> None:
    assert is_contiguous(numbers) is whole


def test_the_time_line_counts_every_call_once() -> None:
    found = history(within(7, 8, broken))
    told = timeline(found)
    counted = sum(
        sum(lane["lost"]) + sum(map(sum, lane["answered"].values())) for lane in told["lanes"]
    )
    assert counted == told["calls"] == 2000
    assert told["lost"] == 100
    assert told["marks"] == [{"what": "rotated", "begin": 5.0, "end": 6.0}]
    assert [lane["caller"] for lane in told["lanes"]] == ["east", "west"]
    stretches = {len(lane["lost"]) for lane in told["lanes"]}
    assert stretches == {80}


def test_the_time_line_of_nothing() -> None:
    told = timeline(History([], [], {"east": None}, 50.0))
    assert told["calls"] == 0 and told["lanes"][0]["lost"] == [0]
