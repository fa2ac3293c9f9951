"""What of a kept lab was not as it should be is told at the end, by what became of it."""

from __future__ import annotations

from rich.console import Console

from meshproof.events import Event
from meshproof.report import Judged, found_in, summary
from meshproof.schema import is_as_recorded


def event(done: str, text: str, lab: str = "0a1b2c3d") -> Event:
    return Event(0.0, "found", {"lab": lab, "done": done, "text": text})


def test_each_sentence_is_told_once_under_what_became_of_it() -> None:
    events = [
        event("mended", "the routes of the router were gone"),
        event("left", "Secret a in east is gone"),
        event("left", "Secret b in east is gone"),
        event("left", "Secret a in east is gone"),
        Event(0.0, "notice", {"text": "x"}),
    ]
    mended, left = map(str, found_in(events))
    assert mended == "Mended of lab 0a1b2c3d itself:\n  the routes of the router were gone"
    assert left.splitlines() == [
        "NOT AS IT WAS INSTALLED, and left so, on lab 0a1b2c3d (--repair installs the mesh anew):",
        "  Secret a in east is gone",
        "  Secret b in east is gone",
    ]
    assert found_in([]) == []


def test_of_many_the_first_are_told_and_the_others_counted() -> None:
    (found,) = found_in([event("repaired", f"Secret {number} is gone") for number in range(25)])
    lines = str(found).splitlines()
    assert lines[0] == "Not as it should have been on lab 0a1b2c3d, whose mesh was installed anew:"
    assert len(lines) == 22 and lines[-1] == "  and 5 more, see the record"


def test_it_stands_before_the_failures_that_it_may_explain() -> None:
    failed = Judged("t", "lake/fish", "Fish swim.", "flat", "FAIL", "they sank", 1.0)
    console = Console(width=160)
    with console.capture() as capture:
        console.print(summary([failed], (), found_in([event("left", "the lake is gone")])))
    text = capture.get()
    assert 0 < text.index("the lake is gone") < text.index("they sank")


def test_what_is_read_again_is_checked() -> None:
    assert is_as_recorded("found", event("left", "x").data)
    assert not is_as_recorded("found", event("healed", "x").data)
    assert not is_as_recorded("found", {"lab": "0a1b2c3d", "done": "left"})
