"""A comparison as text for a terminal, as Markdown, and as a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshproof.model import issue_name
from meshproof.report.about import About, about
from meshproof.report.compare.cells import Cell
from meshproof.report.compare.changes import Change, Comparison, Kind, Phase
from meshproof.report.markdown import MOST, joined
from meshproof.report.marked import cell, code, fenced, table
from meshproof.report.record import Record
from meshproof.report.templating import environment
from meshproof.report.texts import bounded, in_line, moment

_TOLD = tuple(kind for kind in Kind if kind is not Kind.SAME)
_WITH_REASON = (Kind.BROKE, Kind.UNCLEAR, Kind.STILL, Kind.NEW)
_LONGEST = 4000
_SIGNS = {
    Kind.BROKE: "❌",
    Kind.UNCLEAR: "❓",
    Kind.STILL: "⚠️",
    Kind.MENDED: "✅",
    Kind.TOLD: "✅",
    Kind.NEW: "🆕",
    Kind.GONE: "🚫",
}


@dataclass(frozen=True)
class Side:
    """What one of the two records is of, in words."""

    name: str
    istio: str
    kubernetes: str
    bench: str
    proxies: str
    when: str
    early: str


def lines(found: Comparison) -> list[str]:
    """A comparison for a terminal: what is new and holds is counted alone."""
    sides = sides_of(found)
    words = ("before", "after")
    texts = [f"{word}: {_side(side)}" for word, side in zip(words, sides, strict=True)]
    texts += [one.early for one in sides if one.early]
    for one in found.changes:
        if one.kind in _TOLD and (one.kind is not Kind.NEW or one.leaves_open):
            texts.append(f"{one.kind}: {one.behaviour} on {one.place}: {transition(one)}")
            reason = reason_of(one)
            texts += [f"    {in_line(reason)}"] if reason and one.kind is not Kind.STILL else []
    texts += [f"slower: {one.behaviour} on {one.place}: {_times(one)}" for one in _slower(found)]
    texts += [f"lossier: {one.behaviour} on {one.place}: {_lost(one)}" for one in _lossier(found)]
    texts += [f"slower: {one.name} of {one.place}: {_took(one)}" for one in found.phases]
    return [*texts, found.line]


def markdown(found: Comparison, most: int = MOST) -> str:
    """A comparison in Markdown, of ``most`` bytes at most; what broke comes first."""
    return joined(_sections(found), most)


def page(found: Comparison) -> str:
    """A comparison as a page that needs nothing else."""
    templates = environment(
        "meshproof.report.compare", line=in_line, bounded=lambda text: bounded(text, _LONGEST)
    )
    return templates.get_template("compare.html.j2").render(
        found=found,
        sides=sides_of(found),
        kinds=[(kind, found.of(kind)) for kind in Kind],
        same=Kind.SAME,
        slower=[(one, _times(one)) for one in _slower(found)],
        lossier=[(one, _lost(one)) for one in _lossier(found)],
        transition=transition,
        reason=reason_of,
    )


def transition(change: Change) -> str:
    """What it was, and what it is."""
    before, after = _outcome(change.before), _outcome(change.after)
    if change.kind is Kind.GONE and change.declared:
        after = "does not apply"
    return f"{before} → {after}"


def reason_of(change: Change) -> str:
    """Why it does not hold now; "" where it does, or where it is gone."""
    told = change.kind in _WITH_REASON and change.after is not None
    return change.after.why if told and change.after is not None else ""


def sides_of(found: Comparison) -> list[Side]:
    """The two records, in words."""
    return [_of(record) for record in (found.before, found.after)]


def _of(record: Record) -> Side:
    made_of: About = about(record)
    proxies = (f"Istio {istio} with {proxy}" for istio, proxy in made_of.proxies.items())
    return Side(
        name=", ".join(run.folder.name for run in record.runs),
        istio=", ".join(made_of.istio),
        kubernetes=", ".join(made_of.kubernetes),
        bench=", ".join(made_of.bench),
        proxies="; ".join(proxies),
        when=moment(made_of.began),
        early=record.ending.early or "",
    )


def _side(side: Side) -> str:
    parts = (side.name, f"Istio {side.istio}", f"Kubernetes {side.kubernetes}", side.when)
    return ", ".join(part for part in parts if not part.endswith(" "))


def _outcome(found: Cell | None) -> str:
    if found is None:
        return "not there"
    count = len(found.cases) + found.lacking
    issues = [issue_name(one.link) for one in found.worst.judged.known_issues if one.shows]
    known = f" ({', '.join(issues)})" if found.outcome == "KNOWN" and issues else ""
    return f"{found.outcome}{known}" + (f", {count} tests" if count > 1 else "")


def _slower(found: Comparison) -> list[Change]:
    return [one for one in found.changes if one.slower]


def _lossier(found: Comparison) -> list[Change]:
    return [one for one in found.changes if one.lossier]


def _times(change: Change) -> str:
    before, after = change.times
    return f"{before:.1f} s, then {after:.1f} s"


def _took(phase: Phase) -> str:
    return f"{phase.before:.1f} s, then {phase.after:.1f} s"


def _lost(change: Change) -> str:
    sides = [one for one in (change.before, change.after) if one is not None]
    counts = [f"{one.unanswered} of {one.calls} calls without success" for one in sides]
    return ", then ".join(counts)


def _sections(found: Comparison) -> Iterable[str]:
    sides = sides_of(found)
    yield f"## {cell(found.line)}"
    columns = ("", "before", "after")
    names = ("name", "istio", "kubernetes", "bench", "proxies", "when")
    yield table(columns, [[name, *(cell(getattr(one, name)) for one in sides)] for name in names])
    for side in sides:
        if side.early:
            yield f"**{cell(side.early)}**"
    for kind in _TOLD:
        changes = found.of(kind)
        if changes:
            yield f"### {_SIGNS[kind]} {kind.value.capitalize()}"
            yield table(("behaviour", "on", "before → after"), map(_row, changes))
        if kind is Kind.BROKE:
            yield from _reasons(changes)
    rows = [[code(one.behaviour), cell(one.place), _times(one)] for one in _slower(found)]
    rows += [[cell(one.name), cell(one.place), _took(one)] for one in found.phases]
    if rows:
        yield "### 🐢 Slower"
        yield table(("what", "on", "before → after"), rows)
    lossier = [[code(one.behaviour), cell(one.place), _lost(one)] for one in _lossier(found)]
    if lossier:
        yield "### 📉 Lossier"
        yield table(("behaviour", "on", "before → after"), lossier)


def _row(change: Change) -> Sequence[str]:
    return [code(change.behaviour), cell(change.place), cell(transition(change))]


def _reasons(changes: Iterable[Change]) -> Iterable[str]:
    for one in changes:
        text = fenced(bounded(reason_of(one), _LONGEST))
        yield f"**{code(one.behaviour)}** on {cell(one.place)}: {cell(one.sentence)}\n\n{text}"
