"""The table at the end of a run."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from meshproof.events import Event
from meshproof.report import Judged, LeftOut, left_out_in, summary

EAST, WEST = "flat+1.31.1+strict", "split+1.31.1+strict"


def held(behaviour: str, ground: str) -> Judged:
    return Judged("t", behaviour, ground, "PASS", "", 1.0)


def missing(behaviour: str, ground: str, reason: str, told: bool = True) -> LeftOut:
    return LeftOut("t", behaviour, ground, reason, told)


def shown(outcomes: Sequence[Judged], without: Sequence[LeftOut]) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(summary(outcomes, without))
    return capture.get()


def row(text: str, behaviour: str) -> list[str]:
    line = next(line for line in text.splitlines() if behaviour in line)
    return [cell.strip() for cell in line.strip("│").split("│")[1:]]


def test_what_does_not_apply_has_a_mark_that_is_explained_once() -> None:
    text = shown(
        [held("Fish swim.", EAST), held("Birds fly.", WEST)],
        [
            missing("Birds fly.", EAST, "needs air"),
            missing("Fish swim.", WEST, "needs water"),
            missing("Ice floats.", EAST, "needs water"),
        ],
    )
    assert row(text, "Fish swim.") == ["held (1)", "n/a ²"]
    assert row(text, "Birds fly.") == ["n/a ¹", "held (1)"]
    assert row(text, "Ice floats.") == ["n/a ²", ""]
    assert text.count("needs water") == 1
    assert f"n/a ¹ needs air: {EAST}\n" in text
    assert f"n/a ² needs water: {WEST}, {EAST}\n" in text


def test_a_behaviour_that_is_judged_by_another_test_is_judged() -> None:
    text = shown([held("Fish swim.", EAST)], [missing("Fish swim.", EAST, "needs air")])
    assert row(text, "Fish swim.") == ["held (1)"]


def test_what_need_not_be_told_is_counted_where_it_is_nowhere_to_be_seen() -> None:
    text = shown(
        [held("Fish swim.", EAST)],
        [missing("Fish swim.", WEST, "x", False), missing("Birds fly.", EAST, "y", False)],
    )
    assert "Birds" not in text and WEST not in text
    assert "Behaviours that apply to nothing asked for: 1; see the record." in text


def test_it_comes_back_from_the_record() -> None:
    data = {"test": "t", "behaviour": "b", "ground": "g", "reason": "r", "told": True}
    events = [Event(0, "not-applicable", data), Event(0, "notice", {"text": "x"})]
    assert left_out_in(events) == [LeftOut("t", "b", "g", "r", True)]
