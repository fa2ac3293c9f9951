"""The table at the end of a run: behaviours by ground, and what did not hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from meshproof.events import Event
from meshproof.report.declared import LeftOut
from meshproof.report.words import Grid, marks
from meshproof.telling import shown

_MARKS = {"PASS": "held", "FAIL": "FAILED", "INCONCLUSIVE": "could not tell"}
WORST_FIRST = ("FAIL", "INCONCLUSIVE", "skipped", "PASS")


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
    """The table of behaviours by ground, followed by each failure with its reasons.

    ``without``: what does not apply; the reasons are below the table, each once.
    """
    told = [one for one in without if one.told]
    marked = marks(one.reason for one in told)
    lines: list[RenderableType] = [_grid(outcomes, told, marked)]
    lines += [Text(shown(text)) for text in _reasons(outcomes, without, marked)]
    troubles = [one for one in outcomes if one.outcome in ("FAIL", "INCONCLUSIVE")]
    skipped = [one for one in outcomes if one.outcome == "skipped"]
    lines += [Text(f"\n{shown(text)}") for text in _troubles(troubles)]
    lines += [Text(f"\n{shown(f'skipped: {one.test}: {one.why}')}") for one in skipped]
    return Group(*lines)


def _grid(outcomes: Sequence[Judged], told: Sequence[LeftOut], marked: Mapping[str, str]) -> Grid:
    grounds = list(dict.fromkeys([one.ground for one in outcomes] + [one.ground for one in told]))
    rows = []
    for behaviour in dict.fromkeys(_behaviours(outcomes, told)):
        cells = (_cell(outcomes, behaviour, ground) for ground in grounds)
        notes = (_note(told, behaviour, ground, marked) for ground in grounds)
        rows.append((behaviour, [cell or note for cell, note in zip(cells, notes, strict=True)]))
    return Grid("Behaviours", grounds, rows)


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
    worst = min((one.outcome for one in here), key=WORST_FIRST.index)
    return f"{_MARKS.get(worst, worst)} ({len(here)})"
