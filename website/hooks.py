"""What mkdocs calls while it builds the site (mkdocs.yml names this file): generated pages come in,
and the result is looked at."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
# mkdocs imports this file by its path alone.
sys.path.insert(0, str(ROOT))

from website import reference, topology_page  # noqa: E402
from website.outside import loaded_from_outside  # noqa: E402

TOPOLOGIES = ROOT / "topologies"
SAMPLE = ROOT / "reports" / "sample"
CHANGES = ROOT / "CHANGELOG.md"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """A topology's page stands in the navigation as soon as there is its file."""
    pages = [f"topologies/{path.stem}.md" for path in sorted(TOPOLOGIES.glob("*.yaml"))]
    section: list[Any] = next(one["Topologies"] for one in config.nav or [] if "Topologies" in one)
    section += pages
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Pages that are made of the code and its data, and the sample of reports."""
    made = topology_page.pages(TOPOLOGIES, Path(config.docs_dir)) | reference.pages()
    made["changelog.md"] = CHANGES.read_text(encoding="utf-8")
    for address, text in made.items():
        files.append(File.generated(config, address, content=text))
    for path in sorted(one for one in SAMPLE.rglob("*") if one.is_file()):
        address = f"sample/{path.relative_to(SAMPLE).as_posix()}"
        # Of Markdown mkdocs would make pages: it is shown as the text that it is.
        address += ".txt" if path.suffix == ".md" else ""
        files.append(File.generated(config, address, content=path.read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """What docs/topologies.md says of each topology is on that one's page."""
    if page.file.src_uri != "topologies.md":
        return markdown
    return topology_page.without_sections(markdown, [one.stem for one in TOPOLOGIES.glob("*.yaml")])


def on_post_build(config: MkDocsConfig) -> None:
    """A site that loads anything from outside is not built: whoever reads it is nobody's business.

    Raises PluginError.
    """
    if found := loaded_from_outside(Path(config.site_dir)):
        raise PluginError("the site loads from outside:\n" + "\n".join(found[:20]))
