"""The table at the end of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console

from meshproof.events import Data, Event
from meshproof.report import Judged, LeftOut, judged, left_out_in, summary

EAST, WEST = "flat+1.31.1+strict", "split+1.31.1+strict"


def named(sentence: str) -> str:
    return f"lake/{sentence.split()[0].lower()}"


def held(sentence: str, deployment: str) -> Judged:
    return Judged("t", named(sentence), sentence, deployment, "PASS", "", 1.0)


def missing(sentence: str, deployment: str, reason: str, told: bool = True) -> LeftOut:
    return LeftOut("t", named(sentence), sentence, deployment, reason, told)


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


def test_a_behaviour_is_known_by_its_id_and_not_by_its_sentence() -> None:
    same = [held("Fish swim.", EAST), replace(held("Fish swim.", WEST), sentence="Fish do swim.")]
    assert row(shown(same, []), "Fish do swim.") == ["held (1)", "held (1)"]
    other = [held("Fish swim.", EAST), replace(held("Fish swim.", EAST), behaviour="pond/fish")]
    assert shown(other, []).count("Fish swim.") == 2


def test_the_evidence_of_a_failure_is_named_once() -> None:
    bad = replace(held("Fish swim.", EAST), outcome="FAIL", why="it sank", evidence=("evidence/a",))
    text = shown([bad, replace(bad, test="u"), replace(bad, test="v", evidence=())], [])
    assert "FAILED: t\n  and 2 more tests\nit sank\n  evidence: evidence/a\n" in text


def judged_event(test: str, outcome: str = "PASS") -> Event:
    data = {"test": test, "behaviour": "lake/fish", "sentence": "Fish swim.", "why": ""}
    data |= {"outcome": outcome}
    return Event(1.0, "test", {**data, "deployment": {"id": EAST}, "seconds": 1.0, "evidence": []})


def test_outcomes_come_back_in_the_order_in_which_their_tests_were_planned() -> None:
    begin = Event(0.0, "run-begin", {"tests": ["a", "b", "c"]})
    events = [begin, judged_event("c"), judged_event("a"), judged_event("b", "FAIL")]
    assert [(one.test, one.outcome) for one in judged(events)] == [
        ("a", "PASS"),
        ("b", "FAIL"),
        ("c", "PASS"),
    ]


def test_what_need_not_be_told_is_counted_where_it_is_nowhere_to_be_seen() -> None:
    text = shown(
        [held("Fish swim.", EAST)],
        [missing("Fish swim.", WEST, "x", False), missing("Birds fly.", EAST, "y", False)],
    )
    assert "Birds" not in text and WEST not in text
    assert "Behaviours that apply to nothing asked for: 1; see the record." in text


def test_it_comes_back_from_the_record() -> None:
    data: Data = {"test": "t", "behaviour": "b/c", "sentence": "b", "deployment": "g"}
    data |= {"reason": "r", "told": True}
    events = [Event(0, "not-applicable", data), Event(0, "notice", {"text": "x"})]
    assert left_out_in(events) == [LeftOut("t", "b/c", "b", "g", "r", True)]
