"""Every finding leads to a heading of the page on troubles, and no heading is left without one."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import meshproof.doctor
from meshproof.doctor.facts import Cgroups, EngineFacts, Limits
from meshproof.doctor.findings import Finding, Level
from meshproof.doctor.folders import judge_folders
from meshproof.doctor.manual import anchor, with_page
from meshproof.doctor.rules import judge
from meshproof.resources import resource

from .healthy import HEALTHY, PODMAN

PAGE = resource("docs") / "troubleshooting.md"
ANCHORS = set(
    re.findall(r"\{ #(doctor-[\w-]+) \}$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
)
ILL = replace(
    HEALTHY,
    tools=frozenset(),
    engine=replace(PODMAN, runtime="crun"),
    cgroups=Cgroups("hybrid", HEALTHY.cgroups.controllers),
    limits=Limits(may_raise=False, nofile=1024, nproc=1024),
)


def said() -> set[str]:
    """The names of all findings that these machines have."""
    machines = (HEALTHY, ILL, replace(HEALTHY, engine=EngineFacts(refusal="none", wanted="docker")))
    return {one.name for facts in machines for one in judge(facts)} | {
        one.name for one in judge_folders()
    }


def written() -> set[str]:
    """The names that rules give their findings where they are plain words."""
    folder = Path(meshproof.doctor.__file__).parent / "rules"
    calls = [
        node
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Finding", "_needed")
    ]
    first = [one.args[0] for one in calls if one.args]
    return {str(one.value) for one in first if isinstance(one, ast.Constant)}


def test_every_rule_has_its_heading() -> None:
    names = said() | written()
    assert len(names) > 20
    assert {name for name in names if anchor(name) not in ANCHORS} == set()


def test_every_heading_has_its_rule() -> None:
    assert ANCHORS - {anchor(name) for name in said() | written()} == set()


def test_a_finding_says_where_more_is_told_and_one_that_is_well_does_not() -> None:
    bad = with_page(Finding("disk (store and engine)", Level.FAIL, "1 GiB free", "free some"))
    assert bad.remedy == f"free some\nmore: {PAGE}#doctor-disk"
    well = Finding("time", Level.OK, "now")
    assert with_page(well) == well
