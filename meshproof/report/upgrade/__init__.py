"""`upgrade.md` and `upgrade.html`: for each upgrade of a record what held after each of its steps,
what was lost, and how long it took."""

from __future__ import annotations

from pathlib import Path

from meshproof.report.formats import written
from meshproof.report.record import Record
from meshproof.report.upgrade.views import markdown, page
from meshproof.report.upgrade.ways import ways


def render(record: Record, folder: Path) -> list[Path]:
    """Write both files into a folder. Raises MeshproofError when one cannot be written."""
    found = ways(record)
    return [
        written(folder / "upgrade.md", markdown(found)),
        written(folder / "upgrade.html", page(found)),
    ]
