"""Verdicts on shares: the error rates that they state are computed, not tried out."""

from __future__ import annotations

import pytest
from scipy.stats import binom, binomtest

from meshproof.errors import UsageError
from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    calls_needed,
    part_of,
    share_of,
    share_within,
)
from meshproof.expect.share import CONFIDENCE, POWER
from meshproof.traffic.response import Response
from tests.stand_ins import workload

V1, V2 = (
    Response("a", "east", 200, None, "", "", 0.01, version, pod, workload(pod, "east", version))
    for version, pod in (("v1", "helloworld-v1-a"), ("v2", "helloworld-v2-b"))
)
LOST = Response("lost", "east", 503, None, "", "", 0.01)


def calls(count: int, total: int) -> list[Response]:
    """As many calls as ``total``, of which v2 answered ``count``."""
    return [V2] * count + [V1] * (total - count)


def rejected(total: int, share: float, true: float) -> float:
    """How often scipy's own test rejects ``share`` when ``true`` is true."""
    p_values = [float(binomtest(count, total, share).pvalue) for count in range(total + 1)]
    return sum(
        float(binom.pmf(count, total, true))
        for count, p_value in enumerate(p_values)
        if p_value < 1 - CONFIDENCE
    )


@pytest.mark.parametrize(
    ("share", "tolerance", "needed"),
    [(0.2, 0.1, 841), (0.5, 0.1, 1136), (0.2, 0.15, 393), (0.05, 0.1, 366)],
)
def test_how_many_calls_are_needed(share: float, tolerance: float, needed: int) -> None:
    assert calls_needed(share, tolerance) == needed


@pytest.mark.parametrize(("share", "tolerance"), [(0.2, 0.15), (0.5, 0.2), (0.8, 0.15)])
def test_the_stated_rates_hold_by_scipy_s_own_test(share: float, tolerance: float) -> None:
    needed = calls_needed(share, tolerance)
    powers = {
        total: min(rejected(total, share, share + off) for off in (-tolerance, tolerance))
        for total in (needed - 1, needed, needed + 7, needed * 2)
    }
    assert powers.pop(needed - 1) < POWER
    assert min(powers.values()) >= POWER
    assert all(rejected(total, share, share) <= 1 - CONFIDENCE for total in powers)


def test_every_larger_number_is_enough_too() -> None:
    needed = calls_needed(0.5, 0.4)
    for total in range(needed, 3 * needed):
        assert min(rejected(total, 0.5, true) for true in (0.1, 0.9)) >= POWER


def test_what_cannot_be_needs_no_calls_to_notice() -> None:
    assert calls_needed(0.05, 0.1) == calls_needed(0.95, 0.1)
    assert calls_needed(0.7, 0.3) == calls_needed(0.3, 0.3)
    assert calls_needed(0.2, 0.15, 0.99) < calls_needed(0.2, 0.15)


@pytest.mark.parametrize(
    ("share", "tolerance"), [(0, 0.1), (1, 0.1), (1.2, 0.1), (0.2, 0), (0.2, -0.1), (0.5, 0.6)]
)
def test_shares_that_cannot_be(share: float, tolerance: float) -> None:
    with pytest.raises(UsageError):
        calls_needed(share, tolerance)
    with pytest.raises(UsageError):
        share_of(calls(1, 10), "v2", share, tolerance)


def test_a_biased_coin_is_noticed_at_the_stated_power() -> None:
    needed = calls_needed(0.2, 0.15)
    failing = [
        count
        for count in range(needed + 1)
        if share_of(calls(count, needed), "v2", 0.2, 0.15).outcome is Outcome.FAIL
    ]
    for true in (0.05, 0.35, 0.5):
        assert sum(float(binom.pmf(count, needed, true)) for count in failing) >= POWER
    fair = sum(float(binom.pmf(count, needed, 0.2)) for count in failing)
    assert 0 < fair <= 1 - CONFIDENCE


def test_a_verdict_states_count_share_and_rates() -> None:
    verdict = share_of(calls(180, 900), "v2", 0.2, 0.1)
    assert verdict.outcome is Outcome.PASS
    for stated in ("20.0% of 900 calls", "841", "10.0%", "at most 1.0%", "at most 0.001%"):
        assert stated in verdict.expected
    for stated in ("180 of 900 calls (20.0%)", "p = 1,", "99.999% interval "):
        assert stated in verdict.observed
    swapped = share_of(calls(720, 900), "v2", 0.2, 0.1)
    assert swapped.outcome is Outcome.FAIL
    assert "720 of 900 calls (80.0%)" in swapped.observed


def test_too_few_calls_are_no_pass_and_no_fail() -> None:
    for count in (0, 168, 840):
        verdict = share_of(calls(count, 840), "v2", 0.2, 0.1)
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert "too few calls, 841 are needed" in verdict.observed


@pytest.mark.parametrize(
    "verdict",
    [
        share_of([], "v2", 0.2, 0.1),
        share_of([*calls(180, 900), LOST], "v2", 0.2, 0.1),
        share_within([], "v2", 0.7, 0.8),
        share_within([*calls(75, 100), LOST], "v2", 0.7, 0.8),
    ],
)
def test_no_calls_and_calls_that_nobody_served_prove_nothing(verdict: Verdict) -> None:
    assert verdict.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("count", "total", "outcome"),
    [
        (70, 100, Outcome.PASS),
        (80, 100, Outcome.PASS),
        (69, 100, Outcome.FAIL),
        (81, 100, Outcome.FAIL),
        (14, 20, Outcome.PASS),
        (14, 19, Outcome.INCONCLUSIVE),
        (0, 19, Outcome.INCONCLUSIVE),
    ],
)
def test_a_band_is_exact(count: int, total: int, outcome: Outcome) -> None:
    verdict = share_within(calls(count, total), "v2", 0.7, 0.8)
    assert verdict.outcome is outcome
    assert "from 70.0% to 80.0%" in verdict.expected
    assert f"{count} of {total} calls" in verdict.observed


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.8, 0.7), (0.7, 0.7), (-0.1, 0.5), (0.5, 1.1)])
def test_a_band_has_to_exclude_something(low: float, high: float) -> None:
    with pytest.raises(UsageError):
        share_within(calls(75, 100), "v2", low, high)


def test_a_share_is_told_in_figures_with_every_verdict() -> None:
    for count in (180, 600):
        (seen,) = share_of(calls(count, 900), "v2", 0.2, 0.1).shares
        assert (seen.version, seen.count, seen.calls, seen.expected) == ("v2", count, 900, 0.2)
        assert (round(seen.low, 6), round(seen.high, 6)) == (0.1, 0.3)
        assert seen.interval is not None and seen.interval[0] < count / 900 < seen.interval[1]
    for count in (50, 90, 1):
        (seen,) = share_within(calls(count, 100), "v2", 0.4, 0.6).shares
        assert (seen.count, seen.low, seen.high) == (count, 0.4, 0.6)
        assert seen.expected is None and seen.interval is None
    both = [share_within(calls(count, 100), "v2", 0.4, 0.6) for count in (50, 90)]
    assert [one.count for one in all_of(both).shares] == [50, 90]
    assert len(all_of(both[:1] * 2).shares) == 2


@pytest.mark.parametrize(
    ("held", "total", "outcome"),
    [
        (81, 270, Outcome.PASS),
        (150, 270, Outcome.FAIL),
        (0, 270, Outcome.FAIL),
        (30, 100, Outcome.INCONCLUSIVE),
        (0, 0, Outcome.INCONCLUSIVE),
    ],
)
def test_a_part_of_calls_is_judged_by_the_same_test(
    held: int, total: int, outcome: Outcome
) -> None:
    told = part_of([True] * held + [False] * (total - held), "the fault to end", 0.3, 0.2)
    assert told.outcome is outcome, str(told)
    assert told.expected.startswith("the fault to end 30.0% of")


def test_calls_of_which_nobody_knows_say_nothing_of_a_part() -> None:
    told = part_of([True] * 81 + [None] + [False] * 189, "the fault to end", 0.3, 0.2)
    assert (told.outcome, told.observed) == (
        Outcome.INCONCLUSIVE,
        "1 of 271 calls of which nobody knows",
    )
