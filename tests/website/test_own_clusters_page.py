"""The page on clusters of one's own lists the rights that are asked for."""

from __future__ import annotations

from meshproof.lab.own.rights import NEEDS
from meshproof.resources import resource


def test_the_page_lists_each_right_that_is_asked_for_and_no_other() -> None:
    page = (resource("suites").parent / "docs" / "own-clusters.md").read_text(encoding="utf-8")
    rows = page.partition("## Rights")[2].partition("\n## ")[0].splitlines()
    listed = [one for one in rows if one.startswith("| ")][1:]
    said = []
    for need in NEEDS:
        group = f".{need.group}" if need.group else ""
        resources = ", ".join(f"`{one}{group}`" for one in need.resources)
        said.append(f"| {', '.join(need.verbs)} | {resources} | {need.why} |")
    assert listed == said
