"""The table of behaviours by topology, from what the suites declare: as Markdown, or to look at."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from meshproof.model import Behaviour, Deployment, Level, Mtls
from meshproof.report.declared import Declared, is_plain
from meshproof.report.words import Grid, marks

_FEATURE, _ON_DEMAND, _SEEN = "feature", "on demand, also", "seen to fail by"
_NOTHING = "nothing yet"
_LEGEND = {
    "judged": "'meshproof verify' judges it on this topology, with mTLS strict; where it judges it "
    "with other modes or in variants, the cell names all of them",
    "on demand": "it does so when asked for one of those in the column 'on demand, also', or, "
    "where the behaviour is extended, for --profile all",
    "n/a": "it does not apply there, for the reason below the table",
    _FEATURE: f"what it is about, and '{Level.EXTENDED.value}' where it is judged with "
    "--profile all alone",
    _ON_DEMAND: "the modes and variants in which it is judged when they are asked for",
    _SEEN: f"the sabotages that make the same claim of a mesh that was broken for it; "
    f"'{_NOTHING}': no sabotage does so",
}
"""What the words in the tables mean."""
_PREFACE = f"""\
# Behaviours by topology

Made from the suites by `make docs`, not written by hand; `meshproof behaviours` prints it. Every behaviour has an id, which stays when its sentence is improved.

{chr(10).join(f"- *{word}*: {meaning}" for word, meaning in _LEGEND.items())}
"""  # noqa: E501 - a paragraph of Markdown is one line


@dataclass(frozen=True)
class Line:
    """What the table says of one behaviour, in its cells."""

    behaviour: Behaviour
    cells: Sequence[str]


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


BARE_HEADER = (_FEATURE, "which", _SEEN)


def sections(
    declared: Iterable[Declared],
    usual: Collection[Deployment],
    seen: Mapping[str, Sequence[str]],
) -> list[Section]:
    """A section for each suite, in order.

    ``usual``: the deployments that are judged unasked; ``seen``: the ids of the sabotages that
    see a behaviour fail, by its own id.
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
    return [_section(suite, tests, topologies, usual, seen) for suite, tests in suites.items()]


def markdown(found: Iterable[Section]) -> str:
    """The sections as one page."""
    lines = [_PREFACE]
    for section in found:
        lines += [f"## {section.suite}\n", *([f"{section.about}\n"] if section.about else [])]
        if section.lines:
            lines += [*_markdown_table(("behaviour", *section.header), section.lines), ""]
            lines += [f"{reason}  " for reason in section.reasons]
            lines += [""] if section.reasons else []
        if section.bare:
            lines += [*_markdown_table(("on bare clusters", *BARE_HEADER), section.bare), ""]
    return "\n".join(lines).rstrip() + "\n"


def as_json(declared: Iterable[Declared], seen: Mapping[str, Sequence[str]]) -> str:
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
                "seenToFailBy": list(seen.get(one.behaviour.id, ())),
            }
        )
    return json.dumps(data, indent=1)


def tables(found: Iterable[Section]) -> RenderableType:
    """The sections for a terminal, and what their words mean."""
    shown: list[RenderableType] = [
        Text(f"{word}: {meaning}", overflow="fold") for word, meaning in _LEGEND.items()
    ]
    for section in found:
        if section.lines:
            shown.append(_filled(section.suite, section.header, section.lines))
        shown += [Text(reason) for reason in section.reasons]
        if section.bare:
            shown.append(_filled(f"{section.suite}, on bare clusters", BARE_HEADER, section.bare))
    return Group(*shown)


def _filled(title: str, header: Sequence[str], lines: Iterable[Line]) -> RenderableType:
    rows = [(f"{one.behaviour.sentence}\n{one.behaviour.id}", one.cells) for one in lines]
    return Grid(title, header, rows)


def _section(
    suite: str,
    tests: Sequence[Declared],
    topologies: Sequence[str],
    usual: Collection[Deployment],
    seen: Mapping[str, Sequence[str]],
) -> Section:
    rows = [
        _Row(one, usual if one.behaviour.level is Level.CORE else ())
        for one in tests
        if not one.bare
    ]
    marked = marks(
        reason for row in rows for name in topologies if (reason := row.reason(name)) is not None
    )

    def line(one: Declared, *cells: str) -> Line:
        behaviour = one.behaviour
        return Line(behaviour, (_about(behaviour), *cells, _seen_by(behaviour, seen)))

    return Section(
        suite,
        tests[0].about,
        (_FEATURE, *topologies, _ON_DEMAND, _SEEN),
        [line(row.test, *(row.cell(t, marked) for t in topologies), row.demand) for row in rows],
        [f"{mark} {reason}" for reason, mark in marked.items()],
        [line(one, ", ".join(one.bare)) for one in tests if one.bare],
    )


def _about(behaviour: Behaviour) -> str:
    level = [behaviour.level.value] if behaviour.level is not Level.CORE else []
    return ", ".join([*([behaviour.feature] if behaviour.feature else []), *level])


def _seen_by(behaviour: Behaviour, seen: Mapping[str, Sequence[str]]) -> str:
    """The sabotages by the words of their ids, which are folded where a line ends."""
    names = [name.partition("/")[2].replace("-", " ") for name in seen.get(behaviour.id, ())]
    return "; ".join(names) or _NOTHING


@dataclass(frozen=True)
class _Row:
    test: Declared
    usual: Collection[Deployment]

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
        words = [_word(one) for one in runs if one in self.usual]
        if words:
            return "judged" if words == [Mtls.STRICT.value] else ", ".join(words)
        reason = self.reason(topology)
        return f"n/a {marked[reason]}" if reason is not None else "on demand" if runs else ""

    @property
    def demand(self) -> str:
        """The modes and variants in which it is judged when asked for."""
        runs = self.test.runs_on
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


def _markdown_table(header: Sequence[str], lines: Iterable[Line]) -> list[str]:
    rows = [(f"`{one.behaviour.id}` {one.behaviour.sentence}", *one.cells) for one in lines]
    table = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in one)} |" for one in table]
