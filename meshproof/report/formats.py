"""The formats in which a record is rendered into files, by name: one module each.

A format's module has ``render(record, folder)``, which writes its files into the folder (with
``written``), and gives their paths. It is imported when its format is asked for, and not before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from meshproof import writing
from meshproof.errors import UsageError
from meshproof.nearest import choose
from meshproof.reading import file_errors
from meshproof.report.record import Record


class Render(Protocol):
    """What a format's module does."""

    def __call__(self, record: Record, folder: Path) -> Sequence[Path]:
        """Write the files of a format into a folder that is there. Raises MeshproofError."""


@dataclass(frozen=True, slots=True)
class Format:
    """``module``: what renders it; ``about``: what it is for, in a few words."""

    module: str
    about: str


FORMATS: Mapping[str, Format] = {
    "html": Format("meshproof.report.html", "report.html, a page that needs nothing else"),
    "junit": Format("meshproof.report.junit", "junit.xml, for CI systems"),
    "allure": Format("meshproof.report.allure", "allure-results, a folder for Allure"),
    "markdown": Format("meshproof.report.markdown", "report.md, for pull requests and summaries"),
    "annotations": Format("meshproof.report.annotations", "annotations.txt, for GitHub Actions"),
    "upgrade": Format("meshproof.report.upgrade", "upgrade.md and upgrade.html, of upgrades"),
    "yaml": Format("meshproof.report.conformance", "conformance.yaml, by profiles and levels"),
}


def chosen(words: Iterable[str], known: Collection[str] = FORMATS) -> list[str]:
    """The formats that words name, each once; a word may name several, with commas between.
    ``known``: those that there are.

    Raises UsageError for what is no format.
    """
    names = dict.fromkeys(name.strip() for word in words for name in word.split(","))
    for name in names:
        if name not in known:
            raise UsageError(f"there is no format '{name}'", choose(name, known))
    return list(names)


def check_written(wanted: Sequence[str]) -> None:
    """Raise UsageError when no format is asked for, though it was said where files shall be."""
    if not wanted:
        raise UsageError(
            "--out says where files are written, and none is asked for", "add '--format html'"
        )


def rendered(record: Record, name: str, folder: Path) -> Sequence[Path]:
    """Render a record in one of ``FORMATS`` into a folder, which is made if it is not there.

    Returns the files. Raises MeshproofError when one cannot be written.
    """
    with file_errors(folder, "the folder of reports", doing="make"):
        folder.mkdir(parents=True, exist_ok=True)
    render = cast(Render, import_module(FORMATS[name].module).render)
    return render(record, folder)


def written(path: Path, content: str | bytes) -> Path:
    """Write a report's file, whole or not at all. Returns the path. Raises MeshproofError."""
    return writing.written(path, content, "the report")
