"""The release engineer's page: an upgrade as Markdown, as a page, and in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from meshproof.report.cases import Case
from meshproof.report.html import streams
from meshproof.report.html.lanes import clock
from meshproof.report.markdown import MOST, joined
from meshproof.report.marked import cell, code, fenced, table
from meshproof.report.templating import asset, environment
from meshproof.report.texts import bounded, in_line
from meshproof.report.upgrade.ways import Row, Way

_SIGNS = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "❓", "skipped": "⏭️", "KNOWN": "⚠️"}
_COLUMNS = ("", "step", "held", "lost", "longest outage", "took", "at rest after")
_NONE = "No upgrade was made."
_LONGEST = 4000


def markdown(found: Sequence[Way], most: int = MOST) -> str:
    """All upgrades in Markdown, of ``most`` bytes at most."""
    return joined(_sections(found), most)


def page(found: Sequence[Way]) -> str:
    """All upgrades as a page that needs nothing else."""
    # Streams are drawn as in the report, with its colours.
    templates = environment(
        "meshproof.report.upgrade",
        "meshproof.report.html",
        clock=clock,
        line=in_line,
        bounded=lambda text: bounded(text, _LONGEST),
    )
    return templates.get_template("upgrade.html.j2").render(
        ways=[(way, list(streams.pictures([way.stream] if way.stream else []))) for way in found],
        columns=_COLUMNS,
        cells=_cells,
        line=line,
        reason=reason_of,
        nothing=_NONE,
        style=Markup(asset(templates, "style.css")),
    )


def lines(found: Sequence[Way]) -> list[str]:
    """All upgrades for a terminal, a line for each and for each of its steps."""
    told: list[str] = []
    for way in found:
        told.append(line(way))
        told += ["  " + ", ".join(_words(row)) for row in way.rows]
    return told or [_NONE]


def line(way: Way) -> str:
    """An upgrade in one sentence."""
    short = f", of {way.planned} stages {len(way.rows)}" if len(way.rows) < way.planned else ""
    return (
        f"{way.deployment}: {way.outcome}, {way.lost} of {way.calls} calls lost, in "
        f"{clock(way.seconds)}{short}"
    )


def reason_of(case: Case) -> str:
    """Why a test did not hold."""
    return case.judged.why or "no reason was recorded"


def _words(row: Row) -> list[str]:
    number, name, held, lost, outage, took, rest = _cells(row)
    words = [f"{number} {name}", f"held {held}", f"lost {lost}"]
    words += [f"outage {outage}"] if outage else []
    return [*words, f"took {took}", f"at rest {rest if row.missing else f'after {rest}'}"]


def _cells(row: Row) -> list[str]:
    """A stage as the cells of a table, in plain text."""
    failed = ", ".join(
        f"{_SIGNS[one.judged.outcome]} {one.judged.behaviour.partition('/')[2]}"
        for one in row.others
    )
    held = f"{row.held} of {len(row.cases)}" + (f" ({failed})" if failed else "")
    lost = f"{row.lost} of {row.calls}" + (f" ({row.how})" if row.how else "")
    outage = f"{row.outage:.1f} s" if row.lost else ""
    took = f"{row.seconds:.1f} s, and did not come to its end" if row.trouble else ""
    took = took or f"{row.seconds:.1f} s"
    rest = f"{'not in ' if row.missing else ''}{row.settled:.1f} s"
    return [str(row.number), row.name, held, lost, outage, took, rest]


def _sections(found: Sequence[Way]) -> Iterable[str]:
    if not found:
        yield _NONE
    for way in found:
        yield f"## {_SIGNS[way.outcome]} {cell(way.old)} to {cell(way.to)}, {cell(way.strategy)}"
        yield cell(line(way))
        yield table(_COLUMNS, [[cell(text) for text in _cells(row)] for row in way.rows])
        if way.whole:
            rows = [
                [_SIGNS[one.judged.outcome], code(one.judged.behaviour), cell(one.judged.sentence)]
                for one in way.whole
            ]
            yield table(("", "of the whole", ""), rows)
        for row in way.rows:
            if row.trouble:
                yield f"**{cell(row.name)}** did not come to its end:"
                yield fenced(bounded(row.trouble, _LONGEST))
        for one in way.cases:
            if one.judged.outcome != "PASS":
                where = f", {cell(one.called_from)}" if one.called_from else ""
                yield f"**{code(one.judged.behaviour)}**{where}: {cell(one.judged.sentence)}"
                yield fenced(bounded(reason_of(one), _LONGEST))
