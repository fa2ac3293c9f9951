"""The table at the end of a run: behaviours by deployment, and what did not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType

from meshproof.report.causes import by_cause
from meshproof.report.declared import LeftOut
from meshproof.report.flaky import flaky_in, repeated
from meshproof.report.found import Found
from meshproof.report.known import mended_in, shown_in
from meshproof.report.outcomes import KNOWN, SIGNS, WORST_FIRST, Judged
from meshproof.report.words import Grid, Lines, marks

_MARKS = {
    "PASS": "held",
    "FAIL": "FAILED",
    "INCONCLUSIVE": "could not tell",
    KNOWN: KNOWN,
    "skipped": "skipped",
}
_FEW = 2
"""Tables below each other in which one still finds a behaviour."""


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
    lines: list[RenderableType] = [Overview(outcomes, told, marked)]
    lines += [Lines(text) for text in _reasons(outcomes, without, marked)]
    troubles = [one for one in outcomes if one.outcome in ("FAIL", "INCONCLUSIVE")]
    skipped = [one for one in outcomes if one.outcome == "skipped"]
    lines += [Lines(f"\n{one}") for one in found]
    lines += [Lines(f"\n{text}") for text in _troubles(troubles)]
    lines += [Lines(f"\nskipped: {one.test}: {one.why}") for one in skipped]
    lines += [Lines(f"\n{one}") for one in flaky_in(outcomes)]
    lines += [Lines(f"\n{text}") for text in [repeated(outcomes)] if text]
    lines += [Lines(f"\n{one}") for one in shown_in(outcomes)]
    lines += [Lines(f"\n{one}", style="bold") for one in mended_in(outcomes)]
    return Group(*lines)


@dataclass(frozen=True)
class Overview:
    """Behaviours by deployment, in words; where that would take more than two tables, a sign for
    each outcome, with what signs and numbers stand for below."""

    outcomes: Sequence[Judged]
    told: Sequence[LeftOut]
    marked: Mapping[str, str]

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        names = [one.deployment for one in self.outcomes]
        names += [one.deployment for one in self.told]
        deployments = list(dict.fromkeys(names))
        in_words = Grid("Behaviours", deployments, self._rows(deployments, _in_words, "n/a "))
        if in_words.tables(options.max_width) <= _FEW:
            yield in_words
            return
        numbers = [str(number) for number, _ in enumerate(deployments, 1)]
        yield Grid("Behaviours", numbers, self._rows(deployments, _in_signs, ""))
        yield Lines(", ".join(f"{SIGNS[outcome]} {word}" for outcome, word in _MARKS.items()))
        for number, name in zip(numbers, deployments, strict=True):
            yield Lines(f"{number:>{len(numbers[-1])}} {name}")

    def _rows(
        self, deployments: Sequence[str], cell: Callable[[Sequence[str]], str], without: str
    ) -> list[tuple[str, list[str]]]:
        """A row for each behaviour. ``cell``: of the outcomes; ``without``: what stands before the
        mark of a reason."""
        ended: dict[tuple[str, str], list[str]] = {}
        for one in self.outcomes:
            ended.setdefault((one.behaviour, one.deployment), []).append(one.outcome)
        notes: dict[tuple[str, str], str] = {}
        for left in self.told:
            place = (left.behaviour, left.deployment)
            notes.setdefault(place, f"{without}{self.marked[left.reason]}")
        cells = {**notes, **{place: cell(found) for place, found in ended.items()}}
        return [
            (sentence, [cells.get((behaviour, name), "") for name in deployments])
            for behaviour, sentence in _behaviours(self.outcomes, self.told).items()
        ]


def _behaviours(outcomes: Sequence[Judged], told: Sequence[LeftOut]) -> dict[str, str]:
    """The sentence of each behaviour, by its id."""
    judged = {one.behaviour: one.sentence for one in outcomes}
    return judged | {one.behaviour: one.sentence for one in told}


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


def _in_words(outcomes: Sequence[str]) -> str:
    return f"{_MARKS[_worst(outcomes)]} ({len(outcomes)})"


def _in_signs(outcomes: Sequence[str]) -> str:
    return SIGNS[_worst(outcomes)]


def _worst(outcomes: Sequence[str]) -> str:
    return min(outcomes, key=WORST_FIRST.index)
