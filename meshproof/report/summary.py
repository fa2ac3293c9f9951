"""The table at the end of a run: behaviours by deployment, and what did not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from meshproof.report.causes import by_cause
from meshproof.report.declared import LeftOut
from meshproof.report.flaky import flaky_in
from meshproof.report.found import Found
from meshproof.report.known import mended_in, shown_in
from meshproof.report.outcomes import KNOWN, WORST_FIRST, Judged
from meshproof.report.words import Grid, marks
from meshproof.telling import shown

_MARKS = {"PASS": "held", "FAIL": "FAILED", "INCONCLUSIVE": "could not tell", KNOWN: KNOWN}


def summary(
    outcomes: Sequence[Judged], without: Sequence[LeftOut] = (), found: Sequence[Found] = ()
) -> RenderableType:
    """The table of behaviours by deployment, followed by each failure with its reasons; known
    issues come last, and of them those that did not show, which matters to whoever upgrades.

    ``without``: what does not apply; the reasons are below the table, each once. ``found``: what
    of a kept lab was not as it should be; it comes before the failures, which it may explain.
    """
    told = [one for one in without if one.told]
    marked = marks(one.reason for one in told)
    lines: list[RenderableType] = [_grid(outcomes, told, marked)]
    lines += [Text(shown(text)) for text in _reasons(outcomes, without, marked)]
    troubles = [one for one in outcomes if one.outcome in ("FAIL", "INCONCLUSIVE")]
    skipped = [one for one in outcomes if one.outcome == "skipped"]
    lines += [Text(f"\n{shown(str(one))}") for one in found]
    lines += [Text(f"\n{shown(text)}") for text in _troubles(troubles)]
    lines += [Text(f"\n{shown(f'skipped: {one.test}: {one.why}')}") for one in skipped]
    lines += [Text(f"\n{shown(str(one))}") for one in flaky_in(outcomes)]
    lines += [Text(f"\n{shown(str(one))}") for one in shown_in(outcomes)]
    lines += [Text(f"\n{shown(str(one))}", style="bold") for one in mended_in(outcomes)]
    return Group(*lines)


def _grid(outcomes: Sequence[Judged], told: Sequence[LeftOut], marked: Mapping[str, str]) -> Grid:
    names = [one.deployment for one in outcomes] + [one.deployment for one in told]
    deployments = list(dict.fromkeys(names))
    rows = []
    for behaviour, sentence in _behaviours(outcomes, told).items():
        cells = (_cell(outcomes, behaviour, name) for name in deployments)
        notes = (_note(told, behaviour, name, marked) for name in deployments)
        rows.append((sentence, [cell or note for cell, note in zip(cells, notes, strict=True)]))
    return Grid("Behaviours", deployments, rows)


def _behaviours(outcomes: Sequence[Judged], told: Sequence[LeftOut]) -> dict[str, str]:
    """The sentence of each behaviour, by its id."""
    judged = {one.behaviour: one.sentence for one in outcomes}
    return judged | {one.behaviour: one.sentence for one in told}


def _note(
    told: Sequence[LeftOut], behaviour: str, deployment: str, marked: Mapping[str, str]
) -> str:
    here = (behaviour, deployment)
    reasons = [one.reason for one in told if (one.behaviour, one.deployment) == here]
    return f"n/a {marked[reasons[0]]}" if reasons else ""


def _reasons(
    outcomes: Sequence[Judged], without: Sequence[LeftOut], marked: Mapping[str, str]
) -> list[str]:
    """Each reason with the deployments that it is given for, and how much is not in the tables."""
    texts = []
    for reason, mark in marked.items():
        told = (one for one in without if one.told and one.reason == reason)
        which = dict.fromkeys(one.deployment for one in told)
        texts.append(f"n/a {mark} {reason}: {', '.join(which)}")
    shown = _behaviours(outcomes, [one for one in without if one.told])
    nowhere = {one.behaviour for one in without} - shown.keys()
    if nowhere:
        texts.append(f"Behaviours that apply to nothing asked for: {len(nowhere)}; see the record.")
    return texts


def _troubles(troubles: Sequence[Judged]) -> list[str]:
    """Each trouble with its reasons; what has one cause in common is told once, with a count."""
    texts = []
    for cause in by_cause(troubles):
        mark, first, more = _MARKS[cause.outcome], cause.tests[0].test, len(cause.tests) - 1
        if cause.unjudged:
            counted = f"{more + 1} test{'s' if more else ''}"
            text = f"{mark}, {counted}: {cause.text}\n  {'the first: ' if more else ''}{first}"
        else:
            others = f"\n  and {more} more test{'s' if more > 1 else ''}" if more else ""
            text = f"{mark}: {first}{others}\n{cause.text}"
        evidence = f"\n  evidence: {', '.join(cause.evidence)}" if cause.evidence else ""
        texts.append(f"{text}{evidence}")
    return texts


def _cell(outcomes: Sequence[Judged], behaviour: str, deployment: str) -> str:
    here = [o for o in outcomes if (o.behaviour, o.deployment) == (behaviour, deployment)]
    if not here:
        return ""
    worst = min((one.outcome for one in here), key=WORST_FIRST.index)
    return f"{_MARKS.get(worst, worst)} ({len(here)})"
