"""The table at the end of a run: behaviours by ground, and what did not hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from meshproof.events import Event

_MARKS = {"PASS": "held", "FAIL": "FAILED", "INCONCLUSIVE": "could not tell"}
_WORST_FIRST = ("FAIL", "INCONCLUSIVE", "skipped", "PASS")


@dataclass(frozen=True, slots=True)
class Judged:
    """One test's outcome: "PASS", "FAIL", "INCONCLUSIVE" or "skipped", and why."""

    test: str
    behaviour: str
    ground: str
    outcome: str
    why: str
    seconds: float


def judged(events: Iterable[Event]) -> list[Judged]:
    """The outcomes of a record's tests, in the order they came."""
    fields = Judged.__dataclass_fields__
    return [
        Judged(**{name: event.data[name] for name in fields})
        for event in events
        if event.kind == "test"
    ]


def summary(outcomes: Sequence[Judged]) -> RenderableType:
    """The table of behaviours by ground, followed by each failure with its reasons."""
    grounds = list(dict.fromkeys(one.ground for one in outcomes))
    table = Table(title="Behaviours", title_justify="left")
    table.add_column("")
    for ground in grounds:
        table.add_column(ground)
    for behaviour in dict.fromkeys(one.behaviour for one in outcomes):
        cells = [_cell(outcomes, behaviour, ground) for ground in grounds]
        table.add_row(behaviour, *cells)
    troubles = [one for one in outcomes if one.outcome in ("FAIL", "INCONCLUSIVE")]
    skipped = [one for one in outcomes if one.outcome == "skipped"]
    lines: list[RenderableType] = [table]
    lines += [Text(f"\n{text}") for text in _told(troubles)]
    lines += [Text(f"\nskipped: {one.test}: {one.why}") for one in skipped]
    return Group(*lines)


def _told(troubles: Sequence[Judged]) -> list[str]:
    """Each trouble with its reasons; what has one cause in common is told once."""
    causes: dict[tuple[str, str], list[Judged]] = {}
    for one in troubles:
        causes.setdefault((one.outcome, one.why), []).append(one)
    texts = []
    for (outcome, why), same in causes.items():
        more = f"\n  and {len(same) - 1} more tests" if len(same) > 1 else ""
        texts.append(f"{_MARKS[outcome]}: {same[0].test}{more}\n{why}")
    return texts


def _cell(outcomes: Sequence[Judged], behaviour: str, ground: str) -> str:
    here = [o for o in outcomes if (o.behaviour, o.ground) == (behaviour, ground)]
    if not here:
        return ""
    worst = min((one.outcome for one in here), key=_WORST_FIRST.index)
    return f"{_MARKS.get(worst, worst)} ({len(here)})"
