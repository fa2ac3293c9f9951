"""The suites themselves: every test has an id, every sabotage says what it proves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from meshproof.resources import resource

SUITES = Path(resource("suites"))


def words(call: ast.Call) -> list[str]:
    """The texts that a call is given by position."""
    constants = [one.value for one in call.args if isinstance(one, ast.Constant)]
    return [one for one in constants if isinstance(one, str)]


def decorated(path: Path) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Each test of a file, with the texts given to each of its decorators."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            calls = [one for one in node.decorator_list if isinstance(one, ast.Call)]
            said = {ast.unparse(one.func): words(one) for one in calls}
            yield f"{path.parent.name}::{node.name}", said


def in_the_suites() -> list[tuple[str, dict[str, list[str]]]]:
    return [one for path in sorted(SUITES.glob("*/test_*.py")) for one in decorated(path)]


def test_every_test_has_an_id_that_begins_with_its_suite() -> None:
    judging = [one for one in in_the_suites() if not one[0].startswith("sabotage::")]
    assert len(judging) > 50
    without = [
        name
        for name, said in judging
        if not said.get("behaviour", [""])[0].startswith(f"{name.partition('::')[0]}/")
    ]
    assert without == []


def test_every_sabotage_says_what_it_proves() -> None:
    breaking = [one for one in in_the_suites() if one[0].startswith("sabotage::")]
    assert len(breaking) > 30
    assert [name for name, said in breaking if not said.get("proves")] == []


def test_every_behaviour_has_a_sabotage() -> None:
    tests = in_the_suites()
    judged = {one for _, said in tests for one in said.get("behaviour", [])}
    broken = {one for _, said in tests for one in said.get("proves", [])}
    there = {one for one in judged if not one.startswith("sabotage/")}
    assert len(there) > 50
    assert sorted(there - broken) == []
