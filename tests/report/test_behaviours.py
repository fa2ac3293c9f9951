"""The table of behaviours by topology, and that the page in the docs is as the suites say."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from meshproof.files import topology_named
from meshproof.model import Behaviour, Deployment, Level, Mtls, Version
from meshproof.report import Declared, left_out
from meshproof.report.behaviours import markdown, sections
from meshproof.resources import resource

FLAT, SPLIT = "primary-remote-flat", "primary-remote-split-horizon"


def on(name: str, mtls: Mtls = Mtls.STRICT, *variants: str) -> Deployment:
    topology = topology_named(name)
    versions = dict.fromkeys(topology.names, Version(1, 31, 1))
    revision = "canary" if "revision" in variants else ""
    return Deployment(topology, versions, Version(1, 36, 3), mtls, frozenset(variants), revision)


PLAIN, OTHER, OFF = on(FLAT), on(SPLIT), on(FLAT, Mtls.DISABLED)
REVISED = on(FLAT, Mtls.STRICT, "revision")
ALL = (PLAIN, OTHER, OFF, REVISED)


def declared(sentence: str, *runs_on: Deployment, reason: str = "no") -> Declared:
    rest = {one: reason for one in ALL if one not in runs_on}
    return Declared(f"t::{sentence}", behaviour(sentence), runs_on, rest)


def behaviour(sentence: str, level: Level = Level.CORE) -> Behaviour:
    return Behaviour(f"lake/{sentence.split()[0].lower()}", sentence, "lake", level, "names")


def cells(*tests: Declared, usual: tuple[Deployment, ...] = (PLAIN, OTHER)) -> list[list[str]]:
    """What stands between the feature and the sabotages."""
    (section,) = sections(tests, usual, {})
    return [list(line.cells[1:-1]) for line in section.lines]


def test_cells_say_where_a_behaviour_is_judged_and_how() -> None:
    assert cells(declared("a", PLAIN, OTHER)) == [["judged", "judged", ""]]
    assert cells(declared("a", OFF)) == [["on demand", "n/a ¹", "disabled"]]
    assert cells(declared("a", PLAIN, OTHER, OFF), usual=ALL) == [
        ["strict, disabled", "judged", ""]
    ]
    assert cells(declared("a", PLAIN, REVISED)) == [["judged", "n/a ¹", "revision"]]


def test_a_variant_goes_with_the_modes_and_is_named_once() -> None:
    both = declared("a", PLAIN, OFF, REVISED, on(FLAT, Mtls.DISABLED, "revision"))
    assert cells(both)[0][-1] == "disabled, revision"
    alone = declared("a", on(FLAT, Mtls.DISABLED, "revision"))
    assert cells(alone)[0][-1] == "revision disabled"


def test_an_extended_behaviour_is_judged_on_demand_and_says_so() -> None:
    test = declared("a", PLAIN, OTHER)
    finer = replace(test, behaviour=behaviour("a", Level.EXTENDED))
    assert cells(finer) == [["on demand", "on demand", "strict"]]
    (section,) = sections([test, finer], (PLAIN, OTHER), {})
    assert [line.cells[0] for line in section.lines] == ["names", "names, extended"]


def test_who_sees_a_behaviour_fail_is_told_and_so_is_that_nobody_does() -> None:
    seen = {"lake/a": ["sabotage/a-hole", "sabotage/a-leak"]}
    (section,) = sections([declared("a", PLAIN), declared("b", PLAIN)], (PLAIN,), seen)
    assert [line.cells[-1] for line in section.lines] == ["a hole; a leak", "nothing yet"]


def test_the_page_has_a_section_for_each_suite_with_reasons_and_bare_clusters() -> None:
    bare = Declared("t::b", behaviour("Water | ice."), bare=("isolated", "flat"), about="Wet.")
    tests = [declared("Fish", PLAIN, reason="dry"), bare]
    page = markdown(sections(tests, (PLAIN, OTHER), {"lake/fish": ["sabotage/a-hole"]}))
    head = f"| behaviour | feature | {FLAT} | {SPLIT} | on demand, also | seen to fail by |"
    assert f"## lake\n\n{head}\n| --- |" in page
    assert "| `lake/fish` Fish | names | judged | n/a ¹ |  | a hole |\n\n¹ dry  \n" in page
    assert "| `lake/water` Water \\| ice. | names | isolated, flat | nothing yet |" in page


def test_only_a_topologys_plain_deployment_tells_what_does_not_apply() -> None:
    found = left_out([declared("a", OFF, reason="off only"), declared("b", PLAIN, OTHER)])
    assert [one.deployment for one in found if one.told] == [str(OTHER)]
    assert len(found) == 3 + 2


def test_the_page_in_the_docs_is_as_the_suites_say() -> None:
    command = [sys.executable, "-m", "meshproof", "behaviours", "--markdown"]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr + made.stdout
    kept = Path(resource("suites").parent, "docs", "behaviours.md").read_text(encoding="utf-8")
    assert made.stdout == kept, "docs/behaviours.md is not up to date: run 'make docs'"
