"""The table of behaviours by topology, from what the suites declare: as Markdown, or to look at."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Group, RenderableType
from rich.text import Text

from meshproof.model import Behaviour, Deployment, KnownIssue, Level, Mtls
from meshproof.report.declared import Declared, is_plain
from meshproof.report.words import Grid, marks

_WHEN, _SABOTAGE, _FEATURE = "judged when", "sabotage", "feature"
_NOTHING = "nothing yet"
_KNOWN = "KNOWN"
_EXTENDED = "--profile all"
_BARE = "bare"


class When(StrEnum):
    """When 'meshproof verify' judges a behaviour; the values stand above the totals."""

    DEFAULT = "by default"
    ASKED = "core, when asked"
    EXTENDED = f"extended: {_EXTENDED}"


_LEGEND = {
    _WHEN: f"'{When.DEFAULT.value}', or what 'meshproof verify' has to be told. '{_EXTENDED}' "
    "judges all but upgrades and bare clusters; what --behaviour or --only names is judged "
    "whatever its level",
    _KNOWN: "these versions of Istio are known, in public, not to keep it everywhere",
    _SABOTAGE: "what makes the same claim of a mesh that was broken for it, and wants it to fail. "
    "It is what was written, not what has run: that is in the record of each run with --sabotage. "
    f"'{_NOTHING}': there is none",
    "judged": "on this topology by default, with mTLS strict; where by default it is judged with "
    "other modes or in variants, the cell names all of them",
    "on demand": f"on this topology when it is named, with what '{_WHEN}' says beside 'by "
    f"default', or when '{_EXTENDED}' is given",
    "n/a": "it does not apply there, for the reason below the table",
}
"""What the words in the tables mean."""
_PREFACE = f"""\
# Behaviours by topology

Made from the suites by `make docs`, not written by hand; `meshproof behaviours` prints it. Every behaviour has an id, which stays when its sentence is improved.

{chr(10).join(f"- *{word}*: {meaning}" for word, meaning in _LEGEND.items())}
"""  # noqa: E501 - a paragraph of Markdown is one line


@dataclass(frozen=True)
class Line:
    """What the table says of one behaviour, in its cells. ``known``: the known issues of it."""

    behaviour: Behaviour
    when: When
    cells: Sequence[str]
    known: Sequence[KnownIssue] = ()


@dataclass(frozen=True)
class Section:
    """One suite's table. ``header``: what stands above the cells of ``lines``; ``bare``: the
    behaviours on bare clusters, with cells below BARE_HEADER."""

    suite: str
    about: str
    header: Sequence[str]
    lines: Sequence[Line] = ()
    reasons: Sequence[str] = ()
    bare: Sequence[Line] = ()

    @property
    def all_lines(self) -> Sequence[Line]:
        """Those on meshes, then those on bare clusters."""
        return [*self.lines, *self.bare]


BARE_HEADER = (_WHEN, _SABOTAGE, _FEATURE, "which")


def sections(
    declared: Iterable[Declared],
    usual: Collection[Deployment],
    sabotages: Mapping[str, Sequence[str]],
    issues: Collection[KnownIssue] = (),
) -> list[Section]:
    """A section for each suite, in order.

    ``usual``: the deployments that are judged unasked; ``sabotages``: by the id of a behaviour
    those of the sabotages that make its claim; ``issues``: the catalogue of known issues.
    """
    everything = list(declared)
    # In the files' order: which of them the first suite is left out on says nothing.
    topologies = sorted(
        {
            deployment.topology.name
            for one in everything
            for deployment in (*one.runs_on, *one.left_out)
        }
    )
    suites: dict[str, list[Declared]] = {}
    for one in everything:
        suites.setdefault(one.behaviour.suite, []).append(one)
    about = _About(usual, sabotages, issues)
    return [_section(suite, tests, topologies, about) for suite, tests in suites.items()]


def markdown(found: Iterable[Section]) -> str:
    """The sections as one page: how many there are, then each."""
    everything = list(found)
    lines = [_PREFACE, *_totals_table(everything), ""]
    for section in everything:
        lines += [f"## {section.suite}\n", *([f"{section.about}\n"] if section.about else [])]
        if section.lines:
            lines += [*_markdown_table(("behaviour", *section.header), section.lines), ""]
            lines += [f"{reason}  " for reason in section.reasons]
            lines += [""] if section.reasons else []
        if section.bare:
            lines += [*_markdown_table(("on bare clusters", *BARE_HEADER), section.bare), ""]
    return "\n".join(lines).rstrip() + "\n"


def as_json(declared: Iterable[Declared], sabotages: Mapping[str, Sequence[str]]) -> str:
    """The behaviours for programs: on which topologies each is judged, and why not on others."""
    data = []
    for one in declared:
        judged = dict.fromkeys(on.topology.name for on in one.runs_on)
        plain = {on.topology.name: why for on, why in one.left_out.items() if is_plain(on)}
        data.append(
            {
                "id": one.behaviour.id,
                "sentence": one.behaviour.sentence,
                "suite": one.behaviour.suite,
                "level": one.behaviour.level.value,
                "feature": one.behaviour.feature,
                "topologies": list(judged),
                "not": {name: why for name, why in plain.items() if name not in judged},
                "bare": list(one.bare),
                "sabotages": list(sabotages.get(one.behaviour.id, ())),
            }
        )
    return json.dumps(data, indent=1)


def tables(found: Iterable[Section]) -> RenderableType:
    """The sections for a terminal, what their words mean, and how many there are."""
    everything = list(found)
    shown: list[RenderableType] = [
        Text(f"{word}: {meaning}", overflow="fold") for word, meaning in _LEGEND.items()
    ]
    for section in everything:
        if section.lines:
            shown.append(_filled(section.suite, section.header, section.lines))
        shown += [Text(reason) for reason in section.reasons]
        if section.bare:
            shown.append(_filled(f"{section.suite}, on bare clusters", BARE_HEADER, section.bare))
    lines = [line for section in everything for line in section.all_lines]
    totals = zip((*When, _KNOWN), _counts(lines), strict=True)
    said = ", ".join(f"{count} {what}" for what, count in totals)
    return Group(*shown, Text(f"{len(lines)} behaviours: {said}"))


def _filled(title: str, header: Sequence[str], lines: Iterable[Line]) -> RenderableType:
    return Grid(title, header, [(_in_words(one), one.cells) for one in lines])


def _in_words(line: Line) -> str:
    known = [f"{_KNOWN}: {one.name}" for one in line.known]
    return "\n".join([line.behaviour.sentence, line.behaviour.id, *known])


def _counts(lines: Iterable[Line]) -> list[int]:
    """How many are judged when, in the order of When, and how many have a known issue."""
    every = list(lines)
    when = Counter(line.when for line in every)
    return [*(when[one] for one in When), sum(1 for line in every if line.known)]


def _totals_table(found: Sequence[Section]) -> list[str]:
    everything = [line for section in found for line in section.all_lines]
    told = [("**all**", "", everything)]
    told += [(f"[{one.suite}](#{one.suite})", one.about, list(one.all_lines)) for one in found]
    rows = [
        (name, about, *(str(n or "") for n in (len(lines), *_counts(lines))))
        for name, about, lines in told
    ]
    return _table(("suite", "about", "behaviours", *When, _KNOWN), rows)


@dataclass(frozen=True)
class _About:
    """What is known of behaviours beside what they declare, as ``sections`` takes it."""

    usual: Collection[Deployment]
    sabotages: Mapping[str, Sequence[str]]
    issues: Collection[KnownIssue]

    def line(self, row: _Row, *cells: str) -> Line:
        behaviour = row.test.behaviour
        known = tuple(one for one in self.issues if one.behaviour == behaviour.id)
        breaks = self.sabotages.get(behaviour.id, ())
        # By the words of their ids, which are folded where a line ends.
        names = [name.partition("/")[2].replace("-", " ") for name in breaks]
        about = (row.asked, "; ".join(names) or _NOTHING, behaviour.feature)
        return Line(behaviour, row.when, (*about, *cells), known)


def _section(
    suite: str, tests: Sequence[Declared], topologies: Sequence[str], about: _About
) -> Section:
    rows = [_Row(one, about.usual) for one in tests if not one.bare]
    bare = [_Row(one, about.usual) for one in tests if one.bare]
    marked = marks(
        reason for row in rows for name in topologies if (reason := row.reason(name)) is not None
    )
    return Section(
        suite,
        tests[0].about,
        (_WHEN, _SABOTAGE, _FEATURE, *topologies),
        [about.line(row, *(row.cell(name, marked) for name in topologies)) for row in rows],
        [f"{mark} {reason}" for reason, mark in marked.items()],
        [about.line(row, ", ".join(row.test.bare)) for row in bare],
    )


@dataclass(frozen=True)
class _Row:
    test: Declared
    usual: Collection[Deployment]

    @property
    def when(self) -> When:
        """When the behaviour is judged, of the three."""
        if self.test.behaviour.level is Level.EXTENDED:
            return When.EXTENDED
        return When.DEFAULT if self._unasked(self.test.runs_on) else When.ASKED

    def _unasked(self, runs: Iterable[Deployment]) -> list[Deployment]:
        """Those on which it is judged by default."""
        if self.test.behaviour.level is not Level.CORE:
            return []
        chosen = self.test.in_short(self.usual)
        return [one for one in runs if one in chosen]

    def _runs(self, topology: str) -> list[Deployment]:
        return [one for one in self.test.runs_on if one.topology.name == topology]

    def reason(self, topology: str) -> str | None:
        """Why the behaviour does not apply to a topology; None when it does."""
        if self._runs(topology):
            return None
        reasons = (
            reason
            for one, reason in self.test.left_out.items()
            if one.topology.name == topology and is_plain(one)
        )
        return next(reasons, None)

    def cell(self, topology: str, marked: dict[str, str]) -> str:
        """What the table says of the behaviour on a topology."""
        runs = self._runs(topology)
        words = [_word(one) for one in self._unasked(runs)]
        if words:
            return "judged" if words == [Mtls.STRICT.value] else ", ".join(words)
        reason = self.reason(topology)
        return f"n/a {marked[reason]}" if reason is not None else "on demand" if runs else ""

    @property
    def asked(self) -> str:
        """What 'meshproof verify' has to be told for the behaviour to be judged."""
        runs, usual = self.test.runs_on, self._unasked(self.test.runs_on)
        if self.test.bare:
            # Of bare labs with a name of their own that comes first, of all others their ranges.
            names = [_BARE if "-cidrs+" in one else one.partition("+")[0] for one in self.test.bare]
            return f"{' or '.join(dict.fromkeys(names))} is named"
        if not runs:  # where it does not apply anywhere the reason says what is to be done
            reasons = list(dict.fromkeys(self.test.left_out.values()))
            return reasons[0] if len(reasons) == 1 else ""
        strict = {one.variants for one in runs if one.mtls is Mtls.STRICT}
        # A variant goes with every mode of the test: that need not be said of each.
        shown = [one for one in runs if not one.variants or _is_first(one, strict)]
        others = [one for one in shown if one not in usual and not is_plain(one)]
        if self.when is When.EXTENDED:
            words = ", ".join(dict.fromkeys(_word(one) for one in shown))
            return _EXTENDED + (f" ({words})" if others else "")
        named = ["the topology is named"] if any(map(is_plain, runs)) else []
        first = [When.DEFAULT.value] if usual else named
        return "; ".join([*first, *dict.fromkeys(map(_option, others))])


def _is_first(one: Deployment, strict: Collection[frozenset[str]]) -> bool:
    return one.mtls is Mtls.STRICT or one.variants not in strict


def _word(deployment: Deployment) -> str:
    mode = deployment.mtls.value
    variants = "+".join(sorted(deployment.variants))
    if not variants:
        return mode
    return variants if deployment.mtls is Mtls.STRICT else f"{variants} {mode}"


def _option(deployment: Deployment) -> str:
    """What asks for a deployment's mode and variants."""
    options = [f"--variant {name}" for name in sorted(deployment.variants)]
    if deployment.mtls is not Mtls.STRICT:
        options.append(f"--mtls {deployment.mtls.value}")
    return " ".join(options)


def _markdown_table(header: Sequence[str], lines: Iterable[Line]) -> list[str]:
    return _table(header, [(_marked(one), *one.cells) for one in lines])


def _marked(line: Line) -> str:
    known = [f"[{one.name}]({one.link}), Istio {one.istio or 'all'}" for one in line.known]
    mark = f" **{_KNOWN}**: {'; '.join(known)}" if known else ""
    return f"`{line.behaviour.id}` {line.behaviour.sentence}{mark}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    table = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in one)} |" for one in table]
