"""Every page is in the navigation, and what the README names is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def named(nav: Any) -> set[str]:
    """The pages that a navigation names."""
    if isinstance(nav, str):
        return {nav}
    parts = nav.values() if isinstance(nav, dict) else nav
    return {page for part in parts for page in named(part)}


def test_every_page_is_in_the_navigation() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    docs = ROOT / "docs"
    there = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    assert len(there) > 20
    assert there - named(site["nav"]) == set(), "name it in mkdocs.yml"


def test_what_the_readme_links_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)]
    assert len(links) > 20
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_the_how_tos_example_is_the_one_that_is_tested() -> None:
    page = (ROOT / "docs" / "howto" / "behaviour.md").read_text(encoding="utf-8")
    example = (ROOT / "docs" / "example" / "test_greetings.py").read_text(encoding="utf-8")
    assert f"```python\n{example}```\n" in page
