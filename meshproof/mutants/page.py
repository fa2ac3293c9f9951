"""The page of the docs about mutants, from the catalogue and a campaign's results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from meshproof.mutants.catalogue import Mutant
from meshproof.mutants.results import COUNTED, Campaign, Held, Outcome, Result

_HEAD = Path(__file__).with_suffix(".md")
_EMPTY = "No results yet: this page was made from the catalogue alone.\n"
_COLUMNS = ("mutant", "on", "must be noticed by", "plain distribution", "became of it")


def page(mutants: Sequence[Mutant], campaign: Campaign | None) -> str:
    """The page in Markdown, a table for each family; without results where there are none."""
    results = {one.id: one for one in campaign.results} if campaign else {}
    lines = [_HEAD.read_text(encoding="utf-8"), _summary(mutants, campaign)]
    for family in dict.fromkeys(one.family for one in mutants):
        members = [one for one in mutants if one.family == family]
        lines += [f"## {family.replace('-', ' ')}\n", _table(members, results)]
        lines += [_explanations(members, results)]
    return "\n".join(line for line in lines if line).rstrip("\n") + "\n"


def _summary(mutants: Sequence[Mutant], campaign: Campaign | None) -> str:
    green = sum(one.plain == "green" for one in mutants)
    missing = len({one.notices for one in mutants if one.missing})
    about = (
        f"{len(mutants)} mutants, {green} of which are meant to leave plain distribution green; "
        f"{missing} behaviours that must notice some are still missing.\n"
    )
    if campaign is None:
        return f"{about}\n{_EMPTY}"
    counts = Counter(one.outcome for one in campaign.results)
    in_force = sum(counts[one] for one in COUNTED)
    plain = sum(one.plain == "PASS" for one in campaign.results if one.outcome in COUNTED)
    rows = [f"| {one.value} | {counts[one]} |" for one in Outcome if counts[one]]
    controls = [_control(one) for one in campaign.controls]
    return "\n".join(
        [
            about,
            f"On Istio {campaign.istio}, {in_force} of {len(campaign.results)} were in force; "
            f"plain distribution stayed green with {plain} of them.\n",
            "| what became of them | how many |",
            "| --- | --- |",
            *rows,
            "",
            *controls,
        ]
    )


def _control(held: Held) -> str:
    """What a control run came to, in a sentence or two."""
    told = (
        f"On {held.topology}, with the program and no mutant on, {len(held.held)} behaviours held"
    )
    wrong = [f"`{one.behaviour}` ({_cell(_shortened(one.words))})" for one in held.not_held]
    return f"{'; not so '.join([told, *([', '.join(wrong)] if wrong else [])])}.\n"


def _table(mutants: Sequence[Mutant], results: Mapping[str, Result]) -> str:
    rows = [
        _COLUMNS,
        ("---",) * len(_COLUMNS),
        *(_row(one, results.get(one.id)) for one in mutants),
    ]
    return "\n".join(f"| {' | '.join(map(_cell, one))} |" for one in rows) + "\n"


def _row(mutant: Mutant, result: Result | None) -> tuple[str, ...]:
    notices = f"`{mutant.notices}`{' (missing)' if mutant.missing else ''}"
    plain = f"{mutant.plain} expected"
    if result is not None and result.plain:
        plain = {"PASS": "green", "FAIL": "red"}.get(result.plain, result.plain)
    what = f"`{mutant.id}` {mutant.what}"
    return what, mutant.topology, notices, plain, _became(result)


def _became(result: Result | None) -> str:
    if result is None:
        return "not run"
    words = result.outcome.value
    if result.outcome is Outcome.ELSEWHERE:
        others = ", ".join(f"`{one.behaviour}`" for one in result.by[:3])
        rest = len(result.by) - 3
        words += f": {others}{f' and {rest} more' if rest > 0 else ''}"
    elif result.by:
        words += f": “{_shortened(result.by[0].words)}”"
    elif result.why:
        words += f": {_shortened(result.why)}"
    return words if result.healed or result.outcome is Outcome.BROKEN else f"{words}; did not heal"


def _explanations(mutants: Sequence[Mutant], results: Mapping[str, Result]) -> str:
    """What is to be said of those that nothing, or something else, noticed; of all that have
    something to say where nothing was run."""
    told = [
        f"- `{one.id}`: {one.explained}"
        for one in mutants
        if one.explained
        and (one.id not in results or results[one.id].outcome is not Outcome.NOTICED)
    ]
    return "\n".join([*told, ""]) if told else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _shortened(text: str, most: int = 160) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= most else f"{one_line[:most].rstrip()}…"
