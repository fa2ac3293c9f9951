"""The table of behaviours by topology, and that the page in the docs is as the suites say."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

from packaging.specifiers import SpecifierSet
from rich.console import Console

from meshproof.files import topology_named
from meshproof.model import Behaviour, Deployment, KnownIssue, Level, Mtls, Version
from meshproof.report import Declared, left_out
from meshproof.report.behaviours import markdown, sections, tables
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
    name = sentence.split()[0].lower().strip(".")
    return Behaviour(f"lake/{name}", sentence, "lake", level, "names")


def cells(*tests: Declared, usual: tuple[Deployment, ...] = (PLAIN, OTHER)) -> list[list[str]]:
    """When each is judged, and what stands below the topologies."""
    (section,) = sections(tests, usual, {})
    return [[line.cells[0], *line.cells[3:]] for line in section.lines]


def test_cells_say_where_a_behaviour_is_judged_and_how() -> None:
    assert cells(declared("a", PLAIN)) == [["by default", "judged", "n/a ¹"]]
    assert cells(declared("a", OFF)) == [["--mtls disabled", "on demand", "n/a ¹"]]
    everywhere = replace(declared("a", PLAIN, OTHER, OFF), each_topology=True)
    assert cells(everywhere, usual=ALL) == [["by default", "strict, disabled", "judged"]]
    assert cells(declared("a", PLAIN, REVISED)) == [
        ["by default; --variant revision", "judged", "n/a ¹"]
    ]


def test_by_default_one_topology_stands_for_the_others_but_in_what_is_each_ones_own() -> None:
    one = declared("a", PLAIN, OTHER)
    assert cells(one) == [["by default", "judged", "on demand"]]
    assert cells(replace(one, each_topology=True)) == [["by default", "judged", "judged"]]


def test_what_is_core_on_a_topology_on_demand_alone_is_asked_for_by_its_name() -> None:
    assert cells(declared("a", OTHER, OFF), usual=(PLAIN,)) == [
        ["the topology is named; --mtls disabled", "on demand", "on demand"]
    ]


def test_what_applies_nowhere_says_what_would_judge_it() -> None:
    nowhere = declared("a", reason="on the way to another Istio only: 'meshproof upgrade'")
    assert cells(nowhere)[0][0] == "on the way to another Istio only: 'meshproof upgrade'"


def test_a_variant_goes_with_the_modes_and_is_named_once() -> None:
    both = declared("a", PLAIN, OFF, REVISED, on(FLAT, Mtls.DISABLED, "revision"))
    assert cells(both)[0][0] == "by default; --mtls disabled; --variant revision"
    alone = declared("a", on(FLAT, Mtls.DISABLED, "revision"))
    assert cells(alone)[0][0] == "--variant revision --mtls disabled"


def test_an_extended_behaviour_is_judged_with_the_profile_all_and_says_so() -> None:
    finer = replace(declared("a", PLAIN, OTHER), behaviour=behaviour("a", Level.EXTENDED))
    modes = replace(declared("a", PLAIN, OFF), behaviour=behaviour("a", Level.EXTENDED))
    assert cells(finer, modes) == [
        ["--profile all", "on demand", "on demand"],
        ["--profile all (strict, disabled)", "on demand", "n/a ¹"],
    ]


def test_the_sabotages_of_a_behaviour_are_told_and_so_is_that_there_is_none() -> None:
    breaks = {"lake/a": ["sabotage/a-hole", "sabotage/a-leak"]}
    (section,) = sections([declared("a", PLAIN), declared("b", PLAIN)], (PLAIN,), breaks)
    assert [line.cells[1] for line in section.lines] == ["a hole; a leak", "nothing yet"]


def test_the_page_has_a_section_for_each_suite_with_reasons_and_bare_clusters() -> None:
    bare = Declared("t::b", behaviour("Water | ice."), bare=("same-cidrs+flat",), about="Wet.")
    nodes = Declared("t::c", behaviour("Mud."), bare=("bare-nodes+flat",))
    tests = [declared("Fish", PLAIN, reason="dry"), bare, nodes]
    page = markdown(sections(tests, (PLAIN, OTHER), {"lake/fish": ["sabotage/a-hole"]}))
    head = f"| behaviour | judged when | sabotage | feature | {FLAT} | {SPLIT} |"
    assert f"## lake\n\n{head}\n| --- |" in page
    fish = "| `lake/fish` Fish | by default | a hole | names | judged | n/a ¹ |\n\n¹ dry  \n"
    assert fish in page
    water = (
        "| `lake/water` Water \\| ice. | bare is named | nothing yet | names | same-cidrs+flat |"
    )
    assert water in page
    assert "| `lake/mud` Mud. | bare-nodes is named | nothing yet | names |" in page


def test_the_page_begins_with_how_many_there_are_and_marks_known_issues() -> None:
    link = "https://github.com/istio/istio/issues/1"
    issue = KnownIssue(link, "lake/b", SpecifierSet(">=1.29"), "It leaks.", ("it leaks",))
    finer = replace(declared("c", PLAIN), behaviour=behaviour("c", Level.EXTENDED))
    tests = [declared("a", PLAIN), declared("b", OFF), finer]
    found = sections(tests, (PLAIN, OTHER), {}, [issue])
    page = markdown(found)
    head = "| suite | about | behaviours | by default | core, when asked |"
    assert f"{head} extended: --profile all | KNOWN |\n" in page
    assert "| **all** |  | 3 | 1 | 1 | 1 | 1 |\n| [lake](#lake) |  | 3 | 1 | 1 | 1 | 1 |" in page
    assert f"| `lake/b` b **KNOWN**: [istio/istio#1]({link}), Istio >=1.29 | --mtls" in page
    console = Console(width=200, record=True, file=StringIO())
    console.print(tables(found))
    told = console.export_text()
    assert (
        "3 behaviours: 1 by default, 1 core, when asked, 1 extended: --profile all, 1 KNOWN" in told
    )
    assert "KNOWN: istio/istio#1" in told


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
