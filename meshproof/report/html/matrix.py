"""The matrix: behaviours by topology, suite by suite, with a cell for each deployment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from meshproof.events import Data
from meshproof.model import installer_words
from meshproof.report.html.material import Material, Test, worst
from meshproof.report.words import marks


@dataclass(frozen=True)
class Cell:
    """A behaviour on a deployment. ``anchor``: by which the page links to it; ``label``: what tells
    the deployment from the plain one of its topology."""

    anchor: str
    deployment: str
    label: str
    outcome: str
    tests: Sequence[Test]


@dataclass
class Row:
    """A behaviour. ``cells`` and ``notes``, what does not apply, by the column."""

    id: str
    anchor: str
    sentence: str
    level: str = ""
    feature: str = ""
    cells: dict[str, list[Cell]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    @property
    def every_cell(self) -> list[Cell]:
        """Its cells, column by column."""
        return [cell for cells in self.cells.values() for cell in cells]

    @property
    def outcome(self) -> str:
        """The worst of its cells; "n/a" where there is none."""
        return worst(cell.outcome for cell in self.every_cell) if self.cells else "n/a"


@dataclass(frozen=True)
class Suite:
    """Rows of one folder. ``reasons``: why something does not apply, by the mark of it."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Row]
    reasons: Mapping[str, str]

    def count(self, outcome: str) -> int:
        """How many behaviours came to this at worst."""
        return sum(row.outcome == outcome for row in self.rows)


def suites(material: Material) -> list[Suite]:
    """The suites of a record, in the order in which their tests were planned."""
    columns = _columns(material)
    rows = _rows(material, columns)
    by_suite: dict[str, list[Row]] = {}
    for suite, row in rows:
        by_suite.setdefault(suite, []).append(row)
    return [_suite(name, found, columns) for name, found in by_suite.items()]


def _suite(name: str, rows: Sequence[Row], columns: Mapping[str, tuple[str, str]]) -> Suite:
    used = {column for row in rows for column in (*row.cells, *row.notes)}
    ordered = [one for one in dict.fromkeys(one for one, _ in columns.values()) if one in used]
    marked = marks(reason for row in rows for notes in row.notes.values() for reason in notes)
    for row in rows:
        row.notes = {one: [marked[why] for why in whys] for one, whys in row.notes.items()}
    return Suite(name, ordered, rows, {mark: reason for reason, mark in marked.items()})


def _columns(material: Material) -> dict[str, tuple[str, str]]:
    """The column that each deployment is in, by its id, and its label there."""
    found = {name: one.get("topology", name) for name, one in material.deployments.items()}
    versions = {_versions(one) for one in material.deployments.values()} - {""}
    return {
        name: (column, _label(material.deployments[name], several=len(versions) > 1))
        for name, column in found.items()
    }


def _versions(deployment: Data) -> str:
    return " and ".join(dict.fromkeys(deployment.get("istio", {}).values()))


def _label(deployment: Data, *, several: bool) -> str:
    """What is special about a deployment; ``several``: whether it may be its versions."""
    mtls = deployment.get("mtls", "strict")
    parts = [_versions(deployment)] if several else []
    parts += [mtls] if mtls != "strict" else []
    parts += deployment.get("variants", [])
    return " ".join([*parts, *installer_words(deployment.get("installer"))])


def _rows(material: Material, columns: Mapping[str, tuple[str, str]]) -> list[tuple[str, Row]]:
    """Each behaviour's row, with the name of its suite."""
    anchors = _Anchors()
    found: dict[str, tuple[str, Row]] = {}
    here: dict[tuple[str, str], list[Test]] = {}
    for test in material.tests:
        data = test.data
        if data["behaviour"] not in found:
            anchor = anchors.make("b", data["behaviour"])
            row = Row(data["behaviour"], anchor, data["sentence"], data["level"], data["feature"])
            found[row.id] = (data["suite"], row)
        here.setdefault((data["behaviour"], test.judged.deployment), []).append(test)
    for (behaviour, deployment), tests in here.items():
        column, label = columns[deployment]
        outcome = worst(test.judged.outcome for test in tests)
        anchor = anchors.make("c", f"{behaviour}@{deployment}")
        cell = Cell(anchor, deployment, label, outcome, tests)
        found[behaviour][1].cells.setdefault(column, []).append(cell)
    for one in material.record.left_out:
        column = columns.get(one.deployment, (one.deployment, ""))[0]
        if one.behaviour not in found and one.told:
            anchor = anchors.make("b", one.behaviour)
            suite = one.behaviour.partition("/")[0]
            found[one.behaviour] = (suite, Row(one.behaviour, anchor, one.sentence))
        if one.behaviour in found and column not in found[one.behaviour][1].cells and one.told:
            notes = found[one.behaviour][1].notes.setdefault(column, [])
            notes += [one.reason] if one.reason not in notes else []
    return list(found.values())


class _Anchors:
    """Names for links, of letters that need no escaping, each given once."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def make(self, kind: str, text: str) -> str:
        """A name that stays the same from one report to the next, as far as it is the only one."""
        plain = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")[:150]
        name = first = f"{kind}-{plain}"
        number = 1
        while name in self._given:
            number += 1
            name = f"{first}-{number}"
        self._given.add(name)
        return name


def by_outcome(found: Iterable[Suite]) -> dict[str, list[Row]]:
    """The behaviours by the worst that became of each."""
    rows: dict[str, list[Row]] = {}
    for suite in found:
        for row in suite.rows:
            rows.setdefault(row.outcome, []).append(row)
    return rows
