"""The display of a run on a terminal: what goes on, how far it is, and what failed at once."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from meshproof.events import Event
from meshproof.live import LiveNarrator
from meshproof.narrator import Narrator, QuietNarrator

TEST = {
    "test": "suites/a/test_a.py::test_a[flat]",
    "sentence": "A holds.",
    "deployment": {"id": "flat"},
    "caller": None,
    "pair": None,
    "seconds": 1.0,
}


def happened(kind: str, **data: object) -> Event:
    return Event(time.time(), kind, data)


def terminal() -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, force_terminal=True, width=80, no_color=True), file


def shown(narrator: LiveNarrator) -> str:
    console, file = terminal()
    console.print(narrator)
    return file.getvalue()


def test_each_worker_is_shown_with_what_it_does() -> None:
    narrator = LiveNarrator(terminal()[0])
    narrator(happened("step-begin", step="install istiod", worker="gw0"))
    narrator(happened("step-begin", step="deploy sleep", worker="gw1", test=TEST["test"]))
    told = shown(narrator)
    assert "worker 1" in told and "install istiod" in told
    assert "worker 2" in told and "deploy sleep" in told and "test_a[flat]" in told


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({"caller": "east"}, "(flat, from east)"),
        ({"pair": ["east", "west"]}, "(flat, east → west)"),
        ({"machine": "shop"}, "(flat, on shop)"),
        ({}, "(flat)"),
    ],
)
def test_what_a_test_is_about_is_told(about: dict[str, object], told: str) -> None:
    console, file = terminal()
    Narrator(console)(happened("test", outcome="PASS", **{**TEST, **about}))
    assert file.getvalue().rstrip().endswith(f"A holds. {told}")


def test_progress_is_by_weight_and_failures_are_lines_at_once() -> None:
    console, file = terminal()
    narrator = LiveNarrator(console)
    narrator.expect({str(TEST["test"]): 1.0, "another": 3.0}, 100.0)
    narrator(happened("test", outcome="PASS", **TEST))
    narrator(happened("step-end", step="x", seconds=1.0, outcome="ok"))
    assert "A holds." not in file.getvalue()
    assert "1 of 2 tests" in shown(narrator) and "left" in shown(narrator)
    narrator(happened("test", outcome="FAIL", **TEST))
    narrator.close()
    assert "FAIL" in file.getvalue() and "A holds." in file.getvalue()
    assert "1 not held" in shown(narrator)
    narrator.close()


def test_quiet_tells_only_what_does_not_hold() -> None:
    console, file = terminal()
    narrator = QuietNarrator(console)
    narrator(happened("step-end", step="x", seconds=1.0, outcome="ok"))
    narrator(happened("notice", text="to judge: 2 tests"))
    narrator(happened("test", outcome="PASS", **TEST))
    assert file.getvalue() == ""
    narrator(happened("test", outcome="INCONCLUSIVE", **TEST))
    assert "INCONCLUSIVE" in file.getvalue()
