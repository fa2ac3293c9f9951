"""The catalogue of known issues: what is wrong with one, and that ours is right."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from meshproof.errors import UsageError
from meshproof.files import read_known_issues, topology_names
from meshproof.nearest import choose
from meshproof.report.known_issues import markdown
from meshproof.resources import resource

ENTRY = """
known-issues:
  - behaviour: lake/fish-swim
    link: https://github.com/istio/istio/issues/1
    istio: ">=1.29"
    seen: Fish
      sink.
    observed: it sank
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "issues.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_entry_is_read(tmp_path: Path) -> None:
    (one,) = read_known_issues(written(tmp_path, ENTRY))
    assert (one.name, one.seen, one.observed) == ("istio/istio#1", "Fish sink.", ("it sank",))
    assert read_known_issues(written(tmp_path, "known-issues: []")) == ()


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ('">=1.29"', "since 1.29", 5, "'since 1.29' is no range of versions"),
        ("istio:", "istios:", 5, "did you mean istio"),
        ("it sank", '".*"', 3, "any failure would be a known one"),
        ("    observed: it sank\n", "", 3, "'observed' of known issue 1 is missing"),
        ("it sank", "it sank\n    when: [several zone]", 3, "did you mean several zones"),
        ("it sank", "it sank\n    mtls: [strictly]", 9, "write a list of strict"),
        ("https://", "", 3, "is no public link"),
        ("lake/fish-swim", "Fish swim", 3, "is no id of a behaviour"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, before: str, after: str, line: int, said: str
) -> None:
    path = written(tmp_path, ENTRY.replace(before, after))
    with pytest.raises(UsageError) as raised:
        read_known_issues(path)
    assert str(raised.value).startswith(f"{path}:{line}: ")
    assert said in str(raised.value)


def behaviours() -> set[str]:
    """The ids of all behaviours that suites judge, as their decorators say; of no sabotage."""
    found = set()
    for path in Path(resource("suites")).glob("*/test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "behaviour":
                found.add(ast.literal_eval(node.args[0]))
    return found


def test_every_behaviour_and_topology_of_ours_exists() -> None:
    known = behaviours()
    assert len(known) > 50
    issues = read_known_issues()
    assert issues
    missing = [one.behaviour for one in issues if one.behaviour not in known]
    assert [f"{one}: {choose(one, known)}" for one in missing] == []
    assert {name for one in issues for name in one.topologies} <= set(topology_names())


def test_the_page_in_the_docs_is_as_the_catalogue_says() -> None:
    path = Path(resource("suites")).parent / "docs" / "known-issues.md"
    page = path.read_text(encoding="utf-8")
    assert page == markdown(read_known_issues()), "run 'make docs'"
    assert re.search(r"\[istio/istio#32819\]\(https://\S+/32819\)", page)
