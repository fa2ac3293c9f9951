"""docs/judged.md names everything that there is, and the README's numbers are those of today."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from meshproof.files import BARES, topology_names
from meshproof.run.selection import suite_names, usual_topologies

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORDS = ("by default", "on demand", "extended")
NUMBERS = ("five", "six", "seven", "eight", "nine", "ten")


def rows(section: str) -> list[tuple[list[str], list[str]]]:
    """Of each row of a section's table the names in its first cell, and when it is judged."""
    text = (ROOT / "docs" / "judged.md").read_text(encoding="utf-8")
    lines = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0].splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    return [(re.findall("`([^`]+)`", one[0]), one[1].split(", ")) for one in cells]


def totals() -> dict[str, dict[str, int]]:
    """How many behaviours of each suite, and of **all**, are judged when: as docs/behaviours.md
    begins."""
    text = (ROOT / "docs" / "behaviours.md").read_text(encoding="utf-8")
    found = {}
    for line in text.partition("\n## ")[0].splitlines():
        name, *cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if one := re.fullmatch(r"\*\*(all)\*\*|\[([a-z]+)\]\(#\2\)", name):
            whole, *counts = [int(cell or 0) for cell in cells[1:]]
            found[one[1] or one[2]] = {"whole": whole, **dict(zip(WORDS, counts, strict=False))}
    return found


def test_every_topology_is_named_and_when_it_is_judged() -> None:
    found = {name: when for names, when in rows("Topologies") for name in names[:1]}
    usual = usual_topologies()
    due = {name: ["by default" if name in usual else "on demand"] for name in topology_names()}
    assert found == due | {name: ["on demand"] for name in BARES}, "see docs/judged.md"


def test_every_suite_is_named_once_and_when_it_is_judged() -> None:
    named = [name for names, _ in rows("Suites") for name in names]
    assert sorted(named) == sorted(set(suite_names()) - {"sabotage"}), "see docs/judged.md"
    counts = totals()
    wrong = {
        ", ".join(names): due
        for names, when in rows("Suites")
        if when != (due := [one for one in WORDS if any(counts[name][one] for name in names)])
    }
    assert wrong == {}, "docs/judged.md should say of these what is told here"


def test_the_readmes_numbers_are_true() -> None:
    counts = totals()["all"]
    assert f"judges {counts['by default']} of {counts['whole']} [behaviours]" in README
    usual = NUMBERS[len(usual_topologies()) - 5]
    for name in ("README.md", "docs/start.md", "docs/matrix.md"):
        assert f"{usual} topologies" in (ROOT / name).read_text(encoding="utf-8"), name
    command = [sys.executable, "-m", "meshproof", "verify", "--collect-only"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    tests, deployments = re.findall(r"(\d+) tests would run, on (\d+) deployments", listed)[0]
    assert f"on {deployments} deployments" in README
    said = re.search(r"some (\d+) tests", README)
    assert said is not None
    assert abs(int(said[1]) - int(tests)) < int(tests) / 20, f"there are {tests} tests"
    # A quarter of an hour on two cores has room for no more, docs/figures.md.
    assert int(tests) < 400
    behaviours: dict[str, set[str]] = {}
    for function, topology in re.findall(r"^(suites/\S+)\[([a-z-]+)\+", listed, re.MULTILINE):
        behaviours.setdefault(topology, set()).add(function)
    assert set(behaviours) == set(usual_topologies())
    assert min(map(len, behaviours.values())) >= 9, behaviours


def test_the_line_at_a_runs_end_is_the_samples() -> None:
    sample = (ROOT / "reports" / "sample" / "report.md").read_text(encoding="utf-8")
    line = sample.partition("\n")[0].partition("HELD")[2]
    for name in ("README.md", "docs/start.md", "docs/commands.md"):
        assert f"\nHELD{line}\n" in (ROOT / name).read_text(encoding="utf-8"), name
