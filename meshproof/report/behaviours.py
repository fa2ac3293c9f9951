"""The table of behaviours by topology, from what the suites declare: as Markdown, or to look at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.text import Text

from meshproof.model import Deployment, Mtls
from meshproof.report.declared import Declared, is_plain
from meshproof.report.words import Grid, marks

_ON_DEMAND = "on demand, also"
_LEGEND = {
    "judged": "'meshproof verify' judges it on this topology, with mTLS strict; where it judges it "
    "with other modes or in variants, the cell names all of them",
    "on demand": "it does so when asked for one of those in the last column",
    "n/a": "it does not apply there, for the reason below the table",
    _ON_DEMAND: "the modes and variants in which it is judged when they are asked for",
}
"""What the words in the tables mean."""
_PREFACE = f"""\
# Behaviours by topology

Made from the suites by `make docs`, not written by hand; `meshproof behaviours` prints it.

{chr(10).join(f"- *{word}*: {meaning}" for word, meaning in _LEGEND.items())}
"""


@dataclass(frozen=True)
class Section:
    """One suite's table. ``bare``: behaviours on bare clusters, and on which."""

    suite: str
    about: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]] = ()
    reasons: Sequence[str] = ()
    bare: Sequence[tuple[str, str]] = field(default=())


def sections(declared: Iterable[Declared], usual: Collection[Deployment]) -> list[Section]:
    """A section for each suite, in order. ``usual``: the deployments that are judged unasked."""
    everything = list(declared)
    topologies = tuple(
        dict.fromkeys(
            deployment.topology.name
            for one in everything
            for deployment in (*one.runs_on, *one.left_out)
        )
    )
    suites = dict.fromkeys(one.suite for one in everything)
    return [
        _section(suite, [one for one in everything if one.suite == suite], topologies, usual)
        for suite in suites
    ]


def markdown(found: Iterable[Section]) -> str:
    """The sections as one page."""
    lines = [_PREFACE]
    for section in found:
        lines += [f"## {section.suite}\n", *([f"{section.about}\n"] if section.about else [])]
        if section.rows:
            lines += [*_markdown_table(section.header, section.rows), ""]
            lines += [f"{reason}  " for reason in section.reasons]
            lines += [""] if section.reasons else []
        if section.bare:
            lines += [*_markdown_table(("on bare clusters", "which"), section.bare), ""]
    return "\n".join(lines).rstrip() + "\n"


def tables(found: Iterable[Section]) -> RenderableType:
    """The sections for a terminal, and what their words mean."""
    shown: list[RenderableType] = [
        Text(f"{word}: {meaning}", overflow="fold") for word, meaning in _LEGEND.items()
    ]
    for section in found:
        if section.rows:
            shown.append(_filled(section.suite, section.header, section.rows))
        shown += [Text(reason) for reason in section.reasons]
        if section.bare:
            shown.append(_filled(f"{section.suite}, on bare clusters", ("", "which"), section.bare))
    return Group(*shown)


def _filled(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> RenderableType:
    return Grid(title, header[1:], [(row[0], row[1:]) for row in rows])


def _section(
    suite: str,
    tests: Sequence[Declared],
    topologies: Sequence[str],
    usual: Collection[Deployment],
) -> Section:
    bare = {one.behaviour: ", ".join(one.grounds) for one in tests if one.grounds}
    meshed = [one for one in tests if not one.grounds]
    rows = [
        _Row(behaviour, [one for one in meshed if one.behaviour == behaviour], usual)
        for behaviour in dict.fromkeys(one.behaviour for one in meshed)
    ]
    marked = marks(
        reason for row in rows for name in topologies if (reason := row.reason(name)) is not None
    )
    return Section(
        suite,
        tests[0].about,
        ("", *topologies, _ON_DEMAND),
        [[row.behaviour, *(row.cell(t, marked) for t in topologies), row.demand] for row in rows],
        [f"{mark} {reason}" for reason, mark in marked.items()],
        list(bare.items()),
    )


@dataclass(frozen=True)
class _Row:
    behaviour: str
    tests: Sequence[Declared]
    usual: Collection[Deployment]

    def _runs(self, topology: str) -> list[Deployment]:
        runs = (one for test in self.tests for one in test.runs_on)
        return [one for one in dict.fromkeys(runs) if one.topology.name == topology]

    def reason(self, topology: str) -> str | None:
        """Why the behaviour does not apply to a topology; None when it does."""
        if self._runs(topology):
            return None
        reasons = (
            reason
            for test in self.tests
            for one, reason in test.left_out.items()
            if one.topology.name == topology and is_plain(one)
        )
        return next(reasons, None)

    def cell(self, topology: str, marked: dict[str, str]) -> str:
        """What the table says of the behaviour on a topology."""
        runs = self._runs(topology)
        words = [_word(one) for one in runs if one in self.usual]
        if words:
            return "judged" if words == [Mtls.STRICT.value] else ", ".join(words)
        reason = self.reason(topology)
        return f"n/a {marked[reason]}" if reason is not None else "on demand" if runs else ""

    @property
    def demand(self) -> str:
        """The modes and variants in which it is judged when asked for."""
        runs = [one for test in self.tests for one in test.runs_on]
        strict = {one.variants for one in runs if one.mtls is Mtls.STRICT}
        # A variant goes with every mode of the test: that need not be said of each.
        shown = [one for one in runs if not one.variants or _is_first(one, strict)]
        return ", ".join(dict.fromkeys(_word(one) for one in shown if one not in self.usual))


def _is_first(one: Deployment, strict: Collection[frozenset[str]]) -> bool:
    return one.mtls is Mtls.STRICT or one.variants not in strict


def _word(deployment: Deployment) -> str:
    mode = deployment.mtls.value
    variants = "+".join(sorted(deployment.variants))
    if not variants:
        return mode
    return variants if deployment.mtls is Mtls.STRICT else f"{variants} {mode}"


def _markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in one)} |" for one in lines]
