"""The table at the end of a run: behaviours by ground, and what did not hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from meshproof.events import Event
from meshproof.report.declared import LeftOut
from meshproof.report.words import marks, table

_MARKS = {"PASS": "held", "FAIL": "FAILED", "INCONCLUSIVE": "could not tell"}
_MOST_COLUMNS = 8
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


def summary(outcomes: Sequence[Judged], without: Sequence[LeftOut] = ()) -> RenderableType:
    """The tables of behaviours by ground, followed by each failure with its reasons.

    ``without``: what does not apply; the reasons are below the tables, each once.
    """
    told = [one for one in without if one.told]
    marked = marks(one.reason for one in told)
    lines: list[RenderableType] = _tables(outcomes, told, marked)
    lines += [Text(text) for text in _reasons(outcomes, without, marked)]
    troubles = [one for one in outcomes if one.outcome in ("FAIL", "INCONCLUSIVE")]
    skipped = [one for one in outcomes if one.outcome == "skipped"]
    lines += [Text(f"\n{text}") for text in _troubles(troubles)]
    lines += [Text(f"\nskipped: {one.test}: {one.why}") for one in skipped]
    return Group(*lines)


def _tables(
    outcomes: Sequence[Judged], told: Sequence[LeftOut], marked: Mapping[str, str]
) -> list[RenderableType]:
    """One table, or several where one would be too wide to be read."""
    grounds = list(dict.fromkeys([one.ground for one in outcomes] + [one.ground for one in told]))
    behaviours = dict.fromkeys(_behaviours(outcomes, told))
    tables: list[RenderableType] = []
    for begin in range(0, len(grounds), _MOST_COLUMNS):
        shown = grounds[begin : begin + _MOST_COLUMNS]
        made = table("Behaviours", shown)
        for behaviour in behaviours:
            cells = [_cell(outcomes, behaviour, ground) for ground in shown]
            notes = [_note(told, behaviour, ground, marked) for ground in shown]
            if any(cells) or any(notes):
                made.add_row(
                    behaviour, *(cell or note for cell, note in zip(cells, notes, strict=True))
                )
        tables.append(made)
    return tables


def _behaviours(outcomes: Sequence[Judged], told: Sequence[LeftOut]) -> list[str]:
    return [one.behaviour for one in outcomes] + [one.behaviour for one in told]


def _note(told: Sequence[LeftOut], behaviour: str, ground: str, marked: Mapping[str, str]) -> str:
    here = [one.reason for one in told if (one.behaviour, one.ground) == (behaviour, ground)]
    return f"n/a {marked[here[0]]}" if here else ""


def _reasons(
    outcomes: Sequence[Judged], without: Sequence[LeftOut], marked: Mapping[str, str]
) -> list[str]:
    """Each reason with the topologies that it is given for, and how much is not in the tables."""
    texts = []
    for reason, mark in marked.items():
        which = dict.fromkeys(one.ground for one in without if one.told and one.reason == reason)
        texts.append(f"n/a {mark} {reason}: {', '.join(which)}")
    shown = set(_behaviours(outcomes, [one for one in without if one.told]))
    nowhere = {one.behaviour for one in without} - shown
    if nowhere:
        texts.append(f"Behaviours that apply to nothing asked for: {len(nowhere)}; see the record.")
    return texts


def _troubles(troubles: Sequence[Judged]) -> list[str]:
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
