"""The wait loop: what it waits for, when it gives up, and what it says then."""

from __future__ import annotations

import time

import pytest

from meshproof.errors import WaitFailedError, WaitTimeoutError
from meshproof.events import Event, Recorder
from meshproof.wait import eventually


def test_returns_what_was_seen_when_it_came_about() -> None:
    states = iter(["starting", "starting", "ready"])
    seen = eventually(
        lambda: next(states), what="it", until=lambda s: s == "ready", within=5, every=0
    )
    assert seen == "ready"


def test_a_timeout_says_what_was_last_seen() -> None:
    with pytest.raises(WaitTimeoutError, match=r"node east did not come about.*last seen: pending"):
        eventually(
            lambda: "pending", what="node east", until=lambda s: s == "ready", within=0.02, every=0
        )


def test_a_look_that_outlasts_the_wait_is_not_the_only_one() -> None:
    states = iter(["silence", "ready"])

    def look() -> str:
        time.sleep(0.05)
        return next(states)

    assert eventually(look, what="it", until=lambda s: s == "ready", within=0.02, every=0)


def test_what_is_seen_last_was_looked_for_in_the_second_half() -> None:
    begun: list[float] = []

    def look() -> str:
        begun.append(time.monotonic())
        time.sleep(0.05)
        return "silence"

    begin = time.monotonic()
    with pytest.raises(WaitTimeoutError):
        eventually(look, what="it", until=lambda s: s == "ready", within=0.02, every=0)
    assert begun[-1] - begin >= 0.01
    assert len(begun) == 2


def test_a_hopeless_state_ends_the_wait_at_once() -> None:
    with pytest.raises(WaitFailedError, match="ImagePullBackOff"):
        eventually(
            lambda: "ImagePullBackOff",
            what="it",
            until=lambda s: s == "ready",
            fail_if=lambda s: s if "BackOff" in s else None,
            within=60,
        )


def test_stability_starts_anew_after_a_break() -> None:
    states = iter([True, False, *[True] * 1000])
    taken: list[bool] = []

    def probe() -> bool:
        taken.append(next(states))
        return taken[-1]

    eventually(probe, what="it", within=5, every=0.01, stable_for=0.05)
    assert len(taken) > 4


def test_only_changes_are_recorded() -> None:
    events: list[Event] = []
    states = iter(["a", "a", "b", "ready"])
    eventually(
        lambda: next(states),
        what="it",
        until=lambda s: s == "ready",
        within=5,
        every=0,
        recorder=Recorder(listeners=[events.append]),
    )
    assert [e.data["seen"] for e in events if e.kind == "wait"] == ["a", "b", "ready"]
