"""Waits: one that only gives time, and one without which nothing can be claimed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.errors import EvidenceError, LabError
from meshproof.traffic.settle import converge, require


def _one_after_the_other(*states: str | Exception) -> Callable[[], str]:
    """A look that sees these states, then the last of them for ever; an error is raised."""
    left = list(states)

    def look() -> str:
        now = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(now, Exception):
            raise now
        return now

    return look


def _in_force(state: str) -> bool:
    return state == "in force"


def test_what_comes_about_is_waited_for() -> None:
    states = ("not yet", LabError("the proxy does not answer"), "in force")
    assert converge(_one_after_the_other(*states), until=_in_force, within=5)
    require(_one_after_the_other(*states), until=_in_force, what="the hole", within=5)


def test_what_does_not_come_about_is_told_or_raised() -> None:
    look = _one_after_the_other("not yet", "almost")
    assert not converge(look, until=_in_force, within=0.3)
    with pytest.raises(EvidenceError) as raised:
        require(look, until=_in_force, what="a hole in the router", within=0.3)
    assert "a hole in the router did not come about" in str(raised.value)
    assert "last seen: almost" in str(raised.value)


def test_what_cannot_be_looked_at_is_told_as_seen_last() -> None:
    look = _one_after_the_other(LabError("no gateway runs in west"))
    with pytest.raises(EvidenceError, match="last seen: no gateway runs in west"):
        require(look, what="a gateway that denies", within=0)


def test_other_errors_are_not_taken_for_not_yet() -> None:
    with pytest.raises(ZeroDivisionError):
        require(_one_after_the_other(ZeroDivisionError()), what="anything", within=5)
